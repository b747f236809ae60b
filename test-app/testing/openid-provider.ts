// A small OpenID Provider for this app's tests: real HTTP, real signatures, no login page, and faults on request.
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import type { Request, Response } from 'express'

type Json = Record<string, unknown>

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** What the next answers do differently; empty for a correct provider. */
export interface Faults {
  /** The authorization endpoint answers this error. */
  authorizeError?: { error: string; error_description?: string } | undefined
  /** The authorization response says this issuer; null leaves `iss` out. */
  responseIssuer?: string | null | undefined
  idTokenClaims?: Json | undefined
  /** Claims of both tokens. */
  person?: Json | undefined
  /** Signs with a key that is not published, under the published kid. */
  foreignKey?: boolean | undefined
  algorithm?: 'none' | 'RS256' | undefined
  /** The token endpoint answers this status and nothing else. */
  tokenStatus?: number | undefined
  tokenError?: { status: number; error: string } | undefined
  noEndSession?: boolean | undefined
  accessToken?: string | undefined
  expiresIn?: number | undefined
  /** The token endpoint has done its work, and answers only then. */
  tokenAnswerAfter?: Promise<unknown> | undefined
  /** Gives refresh tokens, each good once. */
  refreshTokens?: boolean | undefined
}

export interface TestOpenidProvider {
  readonly issuer: string
  readonly faults: Faults
  /** Codes, tokens, states, nonces and verifiers that were ever issued or seen. */
  readonly secrets: Set<string>
  readonly tokenRequests: Json[]
  readonly authorizationRequests: Json[]
  readonly counts: { discovery: number; jwks: number }
  rotateKey(): void
  /** A logout token of this provider, right but for `changes`. */
  logoutToken(changes?: Json, header?: { typ?: string; algorithm?: 'none' }): string
  stop(): Promise<void>
  /** Serves again on the same port, with the codes it had. */
  restart(): Promise<void>
}

const newKey = (): SigningKey => ({
  kid: randomBytes(4).toString('hex'),
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
})

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function signJwt(claims: Json, key: SigningKey, typ: string, alg: string): string {
  const input = `${encode({ alg, typ, kid: key.kid })}.${encode(claims)}`
  if (alg === 'none') return `${input}.`
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`
}

interface IssuedCode {
  readonly nonce: string
  readonly challenge: string
  readonly redirectUri: string
}

export async function startOpenidProvider(
  client: { id: string; secret: string } = { id: 'client', secret: 'secret' },
): Promise<TestOpenidProvider> {
  const faults: Faults = {}
  const secrets = new Set<string>()
  const codes = new Map<string, IssuedCode>()
  const refreshTokens = new Set<string>()
  const tokenRequests: Json[] = []
  const authorizationRequests: Json[] = []
  const counts = { discovery: 0, jwks: 0 }
  const foreign = newKey()
  let key = newKey()
  let issuer = ''
  const app = express()

  app.get('/.well-known/openid-configuration', (_req, res) => {
    counts.discovery += 1
    res.json({
      issuer,
      authorization_endpoint: `${issuer}/oauth2/authorize`,
      token_endpoint: `${issuer}/oauth2/token`,
      jwks_uri: `${issuer}/oauth2/jwks`,
      ...(faults.noEndSession ? {} : { end_session_endpoint: `${issuer}/oauth2/logout` }),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  app.get('/oauth2/jwks', (_req, res) => {
    counts.jwks += 1
    res.json({
      keys: [
        { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, use: 'sig', alg: 'RS256' },
      ],
    })
  })

  app.get('/oauth2/authorize', (req, res) => {
    const query = req.query as Record<string, string>
    authorizationRequests.push(query)
    const back = new URL(query['redirect_uri'] ?? '')
    back.searchParams.set('state', query['state'] ?? '')
    if (faults.responseIssuer !== null)
      back.searchParams.set('iss', faults.responseIssuer ?? issuer)
    if (faults.authorizeError) {
      for (const [name, value] of Object.entries(faults.authorizeError))
        back.searchParams.set(name, value)
      return res.redirect(302, back.href)
    }
    const code = randomBytes(32).toString('base64url')
    back.searchParams.set('code', code)
    codes.set(code, {
      nonce: query['nonce'] ?? '',
      challenge: query['code_challenge'] ?? '',
      redirectUri: query['redirect_uri'] ?? '',
    })
    for (const secret of [code, query['state'], query['nonce']]) if (secret) secrets.add(secret)
    res.redirect(302, back.href)
  })

  app.post('/oauth2/token', express.urlencoded({ extended: false }), async (req, res) => {
    const body = req.body as Record<string, string>
    tokenRequests.push(body)
    if (body['code_verifier']) secrets.add(body['code_verifier'])
    if (faults.tokenStatus) return void res.status(faults.tokenStatus).send('out of order')
    const error = faults.tokenError ?? tokenFault(req, body)
    if (error) return sendTokenError(res, error)
    const nonce = codes.get(body['code'] ?? '')?.nonce
    codes.delete(body['code'] ?? '')
    const answer = tokens(nonce)
    await faults.tokenAnswerAfter
    res.json(answer)
  })

  function tokenFault(req: Request, body: Record<string, string>) {
    const basic = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`
    if (req.headers.authorization !== basic) return { status: 401, error: 'invalid_client' }
    if (body['grant_type'] === 'refresh_token') {
      const isKnown = refreshTokens.delete(body['refresh_token'] ?? '')
      return isKnown ? undefined : { status: 400, error: 'invalid_grant' }
    }
    const issued = codes.get(body['code'] ?? '')
    const challenge = createHash('sha256')
      .update(body['code_verifier'] ?? '')
      .digest('base64url')
    const isGood = issued?.challenge === challenge && issued.redirectUri === body['redirect_uri']
    return isGood ? undefined : { status: 400, error: 'invalid_grant' }
  }

  function tokens(nonce: string | undefined): Json {
    const now = Math.floor(Date.now() / 1000)
    const person = {
      sub: 'testuser',
      test_auth_server_sub: 'testuser',
      preferred_username: 'testuser',
      name: 'Test User',
      authorities: ['ROLE_USER'],
      ...faults.person,
    }
    const base = { iss: issuer, aud: client.id, iat: now, exp: now + 300, ...person }
    const idToken = signJwt(
      { ...base, nonce, ...faults.idTokenClaims },
      faults.foreignKey ? { ...foreign, kid: key.kid } : key,
      'JWT',
      faults.algorithm ?? 'RS256',
    )
    const accessClaims = {
      ...base,
      scope: 'openid profile read',
      client_id: client.id,
      jti: randomBytes(9).toString('hex'),
    }
    const accessToken = faults.accessToken ?? signJwt(accessClaims, key, 'at+jwt', 'RS256')
    const refreshToken = randomBytes(32).toString('base64url')
    secrets.add(idToken).add(accessToken).add(refreshToken)
    if (faults.refreshTokens) refreshTokens.add(refreshToken)
    return {
      access_token: accessToken,
      id_token: idToken,
      ...(faults.refreshTokens ? { refresh_token: refreshToken } : {}),
      token_type: 'Bearer',
      expires_in: faults.expiresIn ?? 300,
      scope: 'openid profile read',
    }
  }

  app.get('/oauth2/logout', (req, res) => {
    const query = req.query as Record<string, string>
    if (!query['id_token_hint'] || query['client_id'] !== client.id)
      return void res.status(400).send('no hint')
    const back = new URL(query['post_logout_redirect_uri'] ?? '')
    if (query['state']) back.searchParams.set('state', query['state'])
    res.redirect(302, back.href)
  })

  let server = createServer(app)
  const serve = async (port: number): Promise<number> => {
    server = createServer(app)
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }
  const port = await serve(0)
  issuer = `http://127.0.0.1:${port}`
  return {
    issuer,
    faults,
    secrets,
    tokenRequests,
    authorizationRequests,
    counts,
    logoutToken(changes = {}, { typ = 'logout+jwt', algorithm = 'RS256' } = {}) {
      const iat = Math.floor(Date.now() / 1000)
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
      const claims = { iss: issuer, aud: client.id, iat, exp: iat + 120, jti: 'a-jti', events }
      return signJwt({ ...claims, ...changes }, key, typ, algorithm)
    },
    rotateKey: () => void (key = newKey()),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    restart: async () => void (await serve(port)),
  }
}

function sendTokenError(res: Response, { status, error }: { status: number; error: string }): void {
  if (status === 401) res.set('WWW-Authenticate', 'Basic realm="test"')
  res.status(status).json({ error, error_description: 'refused by the test provider' })
}

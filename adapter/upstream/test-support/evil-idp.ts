// An identity provider on real HTTP that does right until told otherwise: each switch in `behaviour` bends one thing.
// Test code only; shares nothing with the rooms it tries.
import { constants, createHash, KeyObject, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair } from 'jose'
import type { CryptoKey, JWK } from 'jose'

type Json = Record<string, unknown>

export interface SigningKey {
  kid: string
  alg: string
  privateKey: CryptoKey
  jwk: JWK
}

export interface Behaviour {
  discovery?: (document: Json) => unknown
  jwks?: (document: { keys: JWK[] }) => unknown
  /** Bends the authorization response. */
  response?: (parameters: URLSearchParams) => void
  claims?: (claims: Json) => Json
  header?: (header: Json) => Json
  /** Signs instead of the first key. */
  sign?: (signingInput: string, key: SigningKey) => Buffer | string
  /** Replaces the finished ID token. */
  idToken?: (token: string) => string
  token?: (body: Json) => unknown
  userinfo?: (claims: Json) => unknown
  /** Answers a path by hand: /.well-known/openid-configuration, /jwks, /token, /userinfo. False lets it pass. */
  answer?: Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>
  /** Runs just before the ID token is signed. */
  beforeSigning?: () => void | Promise<void>
}

export interface EvilIdp {
  readonly issuer: string
  behaviour: Behaviour
  /** Published keys; the first signs. */
  keys: SigningKey[]
  /** What was asked, in order: 'GET /jwks'. */
  readonly requests: { line: string; headers: IncomingMessage['headers']; body: string }[]
  /** Milliseconds its clock is ahead. */
  clockOffsetMs: number
  count(line: string): number
  /** What the browser brings back from the authorization URL. */
  visit(authorizationUrl: URL): Promise<URLSearchParams>
  close(): Promise<void>
  /** Serves again on the same port after `close`. */
  reopen(): Promise<void>
}

export const CLIENT_ID = 'test-client'
export const CLIENT_SECRET = 'test-secret'

export async function makeKey(kid: string, alg = 'RS256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export async function startEvilIdp(): Promise<EvilIdp> {
  const codes = new Map<string, { nonce: string; challenge: string; redirect_uri: string }>()
  let issued = 0
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500).end(String(error))
    })
  })
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`

  const idp: EvilIdp = {
    issuer,
    behaviour: {},
    keys: [await makeKey('key-1')],
    requests: [],
    clockOffsetMs: 0,
    count: (line) => idp.requests.filter((request) => request.line === line).length,
    visit: async (url) => {
      const answer = await fetch(url, { redirect: 'manual' })
      return new URL(answer.headers.get('location') as string).searchParams
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
    reopen: () => listen(port),
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url as string, issuer)
    let body = ''
    for await (const chunk of request) body += String(chunk)
    idp.requests.push({ line: `${request.method} ${url.pathname}`, headers: request.headers, body })
    const byHand = idp.behaviour.answer?.[url.pathname]
    if (byHand && byHand(request, response) !== false) return
    const route = routes[url.pathname]
    if (!route) return void response.writeHead(404).end()
    await route(url, new URLSearchParams(body), response, request)
  }

  const json = (response: ServerResponse, body: unknown, status = 200) =>
    void response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(JSON.stringify(body))

  type Route = (
    url: URL,
    body: URLSearchParams,
    response: ServerResponse,
    request: IncomingMessage,
  ) => unknown

  const routes: Record<string, Route> = {
    '/.well-known/openid-configuration': (_url, _body, response) => {
      const document = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        userinfo_endpoint: `${issuer}/userinfo`,
        authorization_response_iss_parameter_supported: true,
        id_token_signing_alg_values_supported: ['RS256', 'none'],
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
      }
      json(response, idp.behaviour.discovery?.(document) ?? document)
    },
    '/jwks': (_url, _body, response) => {
      const document = { keys: idp.keys.map((key) => key.jwk) }
      json(response, idp.behaviour.jwks?.(document) ?? document)
    },
    '/authorize': ({ searchParams: query }, _body, response) => {
      const code = `code-${(issued += 1)}-${Math.random().toString(36).slice(2)}`
      const redirectUri = query.get('redirect_uri') as string
      codes.set(code, {
        nonce: query.get('nonce') as string,
        challenge: query.get('code_challenge') as string,
        redirect_uri: redirectUri,
      })
      const location = new URL(redirectUri)
      const parameters = new URLSearchParams({
        code,
        state: query.get('state') as string,
        iss: issuer,
      })
      idp.behaviour.response?.(parameters)
      location.search = parameters.toString()
      response.writeHead(302, { location: location.href }).end()
    },
    '/token': async (_url, body, response, request) => {
      if (basicCredentials(request) !== `${CLIENT_ID}:${CLIENT_SECRET}`) {
        return json(response, { error: 'invalid_client' }, 400)
      }
      const isRefresh = body.get('grant_type') === 'refresh_token'
      const code = body.get('code') ?? `again-${(issued += 1)}`
      const grant = codes.get(code)
      const challenge = createHash('sha256')
        .update(String(body.get('code_verifier')))
        .digest('base64url')
      codes.delete(code)
      const isRight =
        grant?.challenge === challenge && grant.redirect_uri === body.get('redirect_uri')
      if (!isRight && !isRefresh) {
        return json(response, { error: 'invalid_grant' }, 400)
      }
      const access_token = `access-${code}`
      const id_token = await idTokenFor(grant?.nonce)
      const answer = {
        access_token,
        token_type: 'Bearer',
        expires_in: 300,
        refresh_token: `refresh-${code}`,
        id_token,
      }
      json(response, idp.behaviour.token?.(answer) ?? answer)
    },
    '/userinfo': (_url, _body, response) => {
      const claims = { sub: 'testuser', email: 'testuser@example.com' }
      json(response, idp.behaviour.userinfo?.(claims) ?? claims)
    },
  }

  async function idTokenFor(nonce: string | undefined): Promise<string> {
    await idp.behaviour.beforeSigning?.()
    const iat = Math.floor((Date.now() + idp.clockOffsetMs) / 1000)
    const plain: Json = {
      iss: issuer,
      sub: 'testuser',
      aud: CLIENT_ID,
      iat,
      exp: iat + 300,
      auth_time: iat,
      nonce,
    }
    const claims = idp.behaviour.claims?.(plain) ?? plain
    const [key] = idp.keys as [SigningKey]
    const plainHeader = { alg: key.alg, kid: key.kid }
    const header = idp.behaviour.header?.(plainHeader) ?? plainHeader
    const signingInput = `${encode(header)}.${encode(claims)}`
    const signature = (idp.behaviour.sign ?? signWith)(signingInput, key)
    const token = `${signingInput}.${Buffer.from(signature).toString('base64url')}`
    return idp.behaviour.idToken?.(token) ?? token
  }

  return idp
}

/** RFC 6749 §2.3.1: each half is form-encoded. */
function basicCredentials(request: IncomingMessage): string {
  const [, encoded = ''] = (request.headers.authorization ?? '').split(' ')
  return decodeURIComponent(Buffer.from(encoded, 'base64').toString())
}

/** Signs as the key's algorithm says, with no opinion on what. */
export function signWith(
  signingInput: string,
  { alg, privateKey }: Pick<SigningKey, 'alg' | 'privateKey'>,
): Buffer {
  const key = KeyObject.from(privateKey)
  const digest = alg.startsWith('Ed') ? null : `sha${alg.slice(2)}`
  const isPss = alg.startsWith('PS')
  return sign(digest, Buffer.from(signingInput), {
    key,
    ...(alg.startsWith('ES') ? { dsaEncoding: 'ieee-p1363' as const } : {}),
    ...(isPss
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : {}),
  })
}

/** base64url of the JSON. */
export function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

// The floor: a small program that makes the same HTTP exchanges as one chained login, two signatures and one verification,
// and does nothing else. No storage, no checks, no cookies that mean anything: what no broker can be cheaper than.
import {
  createHash,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

const [port = '0', upstream = '', bits = '3072'] = process.argv.slice(2)
const issuer = `http://127.0.0.1:${port}`
const callback = `${issuer}/login/oauth2/code/test-auth-server`
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: Number(bits) })
const verifiers = new Map<string, { verifier: string; redirectUri: string }>()
const random = () => randomBytes(32).toString('base64url')
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
let upstreamKey: KeyObject | undefined

function mint(claims: object): string {
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'floor' })}.${encode(claims)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}

async function readUpstreamKey(): Promise<KeyObject> {
  const { keys } = (await (await fetch(`${upstream}/oauth2/jwks`)).json()) as { keys: JsonWebKey[] }
  return createPublicKey({ key: keys[0] as JsonWebKey, format: 'jwk' })
}

async function redeem(code: string, verifier: string): Promise<Record<string, unknown>> {
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: callback,
    code_verifier: verifier,
  })
  const authorization = `Basic ${Buffer.from('test-client:test-secret').toString('base64')}`
  const answer = await fetch(`${upstream}/oauth2/token`, {
    method: 'POST',
    body,
    headers: { authorization },
  })
  const [header, payload, signature] = (
    (await answer.json()) as { id_token: string }
  ).id_token.split('.') as [string, string, string]
  upstreamKey ??= await readUpstreamKey()
  if (
    !verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      upstreamKey,
      Buffer.from(signature, 'base64url'),
    )
  )
    throw new Error('bad signature')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location, 'set-cookie': `FLOOR=${random()}; Path=/; HttpOnly` }).end()
}

function toUpstream(url: URL, response: ServerResponse): void {
  const [state, verifier] = [random(), random()]
  verifiers.set(state, { verifier, redirectUri: url.searchParams.get('redirect_uri') ?? '' })
  const code_challenge = createHash('sha256').update(verifier).digest('base64url')
  const query = new URLSearchParams({
    client_id: 'test-client',
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid profile',
    state,
    nonce: random(),
    code_challenge,
    code_challenge_method: 'S256',
  })
  redirect(response, `${upstream}/oauth2/authorize?${query.toString()}`)
}

async function fromUpstream(url: URL, response: ServerResponse): Promise<void> {
  const state = url.searchParams.get('state') ?? ''
  const pending = verifiers.get(state)
  if (!pending) return void response.writeHead(400).end()
  verifiers.delete(state)
  const claims = await redeem(url.searchParams.get('code') ?? '', pending.verifier)
  redirect(
    response,
    `/oauth2/authorize/resume?${new URLSearchParams({ to: pending.redirectUri, sub: String(claims['sub']) }).toString()}`,
  )
}

async function answerToken(request: IncomingMessage, response: ServerResponse): Promise<void> {
  for await (const part of request) void part
  const claims = {
    sub: 'testuser',
    preferred_username: 'testuser',
    name: 'testuser',
    authorities: ['ROLE_USER'],
    iss: issuer,
    aud: 'client',
    exp: 1,
  }
  const body = JSON.stringify({
    access_token: mint(claims),
    id_token: mint(claims),
    token_type: 'Bearer',
    expires_in: 300,
  })
  response.writeHead(200, { 'content-type': 'application/json' }).end(body)
}

const routes: Record<
  string,
  (url: URL, response: ServerResponse, request: IncomingMessage) => void | Promise<void>
> = {
  '/oauth2/authorize': (url, response) =>
    redirect(response, `/oauth2/authorization/test-auth-server${url.search}`),
  '/oauth2/authorization/test-auth-server': toUpstream,
  '/login/oauth2/code/test-auth-server': fromUpstream,
  '/oauth2/authorize/resume': (url, response) =>
    redirect(response, `${url.searchParams.get('to')}?code=${random()}`),
  '/oauth2/token': (_url, response, request) => answerToken(request, response),
}

createServer((request, response) => {
  const url = new URL(request.url ?? '/', issuer)
  const route = routes[url.pathname]
  if (route) void route(url, response, request)
  else response.writeHead(404).end()
}).listen(Number(port), '127.0.0.1', () =>
  process.stdout.write(`${JSON.stringify({ event: 'listening', url: issuer })}\n`),
)

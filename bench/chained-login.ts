// One whole login as a browser and an app make it, over keep-alive connections: authorize, start, upstream, callback,
// resume, token. Knows HTTP only.
import { createHash, randomBytes } from 'node:crypto'
import { Agent, request, type IncomingHttpHeaders } from 'node:http'

export interface LoginTarget {
  /** The adapter, or the floor: whatever serves /oauth2/authorize and /oauth2/token. */
  issuer: string
  clientId: string
  clientSecret: string
  redirectUri: string
  scope: string
}

export interface UpstreamSession {
  /** Cookie header of a browser that is signed in at the upstream. */
  cookie: string
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

const MAX_HOPS = 10
const agent = new Agent({ keepAlive: true, maxSockets: 64 })

export function send(
  url: string,
  options: {
    method?: string
    cookie?: string
    body?: URLSearchParams
    authorization?: string
  } = {},
): Promise<Answer> {
  const { method = 'GET', cookie, body, authorization } = options
  const headers = {
    accept: 'text/html',
    ...(cookie ? { cookie } : {}),
    ...(authorization ? { authorization } : {}),
    ...(body
      ? {
          'content-type': 'application/x-www-form-urlencoded',
          'content-length': String(Buffer.byteLength(body.toString())),
        }
      : {}),
  }
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response
        .on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        )
        .on('error', reject)
    })
    outgoing.on('error', reject).end(body?.toString())
  })
}

/** Keeps what Set-Cookie says for one origin; paths are left aside, every cookie is sent to every path. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()
  keep(headers: IncomingHttpHeaders): void {
    for (const line of headers['set-cookie'] ?? []) {
      const pair = line.split(';', 1)[0] as string
      const name = pair.slice(0, pair.indexOf('='))
      if (pair.endsWith('=') || /; *(max-age=0|expires=[^;]*1970)/i.test(line))
        this.#cookies.delete(name)
      else this.#cookies.set(name, pair)
    }
  }
  get header(): string {
    return [...this.#cookies.values()].join('; ')
  }
}

/** Signs in once at the upstream, so that later logins go through it by its own session, without a password hash. */
export async function signInUpstream(
  target: LoginTarget,
  upstreamOrigin: string,
): Promise<UpstreamSession> {
  const jars = new Map<string, CookieJar>()
  let url = authorizationUrl(target).url
  for (let hop = 0; hop < MAX_HOPS; hop += 1) {
    const jar = jarOf(jars, url)
    const answer = await send(url, { cookie: jar.header })
    jar.keep(answer.headers)
    if (answer.status === 200) url = await submitPassword(url, answer.body, jar)
    else url = location(url, answer)
    if (url.startsWith(target.redirectUri)) return { cookie: jarOf(jars, upstreamOrigin).header }
  }
  throw new Error('the upstream did not sign us in')
}

async function submitPassword(url: string, page: string, jar: CookieJar): Promise<string> {
  return submitForm(url, page, jar, { username: 'testuser', password: 'password' })
}

/** Sends the form of `page`, its hidden fields and `fields`; returns where its answer leads. */
export async function submitForm(
  url: string,
  page: string,
  jar: CookieJar,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const action = /<form[^>]*\saction="([^"]*)"/.exec(page)?.[1]?.replaceAll('&amp;', '&')
  const hidden = [...page.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(
    ([, name, value]) => [name, value] as [string, string],
  )
  const target = new URL(action ?? '', url).href
  const answer = await send(target, {
    method: 'POST',
    cookie: jar.header,
    body: new URLSearchParams([...hidden, ...Object.entries(fields)]),
  })
  jar.keep(answer.headers)
  return location(target, answer)
}

export interface Tokens {
  access_token: string
  refresh_token?: string
}

/** A new browser at the adapter, a known one at the upstream. Resolves with the milliseconds it took. */
export async function login(target: LoginTarget, upstream: UpstreamSession): Promise<number> {
  const startedAt = performance.now()
  await signIn(target, upstream, new CookieJar())
  return performance.now() - startedAt
}

/** In the browser whose cookies at the adapter are in `jar`; whom the adapter knows is not sent to the upstream. */
export async function signIn(
  target: LoginTarget,
  upstream: UpstreamSession,
  jar: CookieJar,
): Promise<Tokens> {
  const { url: first, verifier } = authorizationUrl(target)
  let url = first
  for (let hop = 0; !url.startsWith(target.redirectUri); hop += 1) {
    if (hop === MAX_HOPS) throw new Error(`no end after ${MAX_HOPS} hops`)
    const isOurs = url.startsWith(target.issuer)
    const answer = await send(url, { cookie: isOurs ? jar.header : upstream.cookie })
    if (isOurs) jar.keep(answer.headers)
    url = location(url, answer)
  }
  return redeem(target, new URL(url).searchParams.get('code') ?? '', verifier)
}

function redeem(
  target: Pick<LoginTarget, 'issuer' | 'clientId' | 'clientSecret' | 'redirectUri'>,
  code: string,
  verifier: string,
): Promise<Tokens> {
  return askForTokens(target, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: target.redirectUri,
    code_verifier: verifier,
  })
}

export const basic = ({ clientId, clientSecret }: Pick<LoginTarget, 'clientId' | 'clientSecret'>) =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`

/** One request at the token endpoint. Rejects when it gives no access token. */
export async function askForTokens(
  target: Pick<LoginTarget, 'issuer' | 'clientId' | 'clientSecret'>,
  parameters: Readonly<Record<string, string>>,
): Promise<Tokens> {
  const { status, body } = await send(`${target.issuer}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(parameters),
    authorization: basic(target),
  })
  const tokens = status === 200 ? (JSON.parse(body) as Partial<Tokens>) : {}
  if (!tokens.access_token) throw new Error(`token endpoint answered ${status}`)
  return tokens as Tokens
}

function authorizationUrl({ issuer, clientId, redirectUri, scope }: LoginTarget): {
  url: string
  verifier: string
} {
  const verifier = randomBytes(32).toString('base64url')
  const url = new URL(`${issuer}/oauth2/authorize`)
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope,
    state: randomBytes(16).toString('base64url'),
    nonce: randomBytes(16).toString('base64url'),
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  return { url: url.href, verifier }
}

function location(url: string, { status, headers }: Answer): string {
  if (status < 300 || status > 399 || !headers.location)
    throw new Error(`${new URL(url).pathname} answered ${status}, expected a redirect`)
  return new URL(headers.location, url).href
}

function jarOf(jars: Map<string, CookieJar>, url: string): CookieJar {
  const { origin } = new URL(url)
  const jar = jars.get(origin) ?? new CookieJar()
  jars.set(origin, jar)
  return jar
}

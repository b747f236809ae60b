// What it costs the test app to know who asks: the same request with the access JWT in its cookie, and without it.
import { ask } from './ask.ts'
import type { Ask } from './ask.ts'
import type { GatewayChain, Place } from './gateway-chain.ts'
import { identityToken } from './identity-login.ts'
import { measureInTurn } from './in-turn.ts'
import type { Rounds, Spent } from './in-turn.ts'

export interface MiddlewareCost {
  name: string
  authenticated: Spent
  unauthenticated: Spent
  cpuRatio: number
  p50Ratio: number
}

/** The person of the token, as pages call them. */
const NAME = 'testuser'
const COOKIE = 'TEST_APP_ACCESS'
/** Tokens live five minutes. */
const NEW_TOKEN_AFTER_MS = 120_000

/** Answered to whoever asks, and the same work for both. */
const REQUESTS: readonly (Omit<Ask, 'url'> & { name: string; path: string })[] = [
  { name: 'GET /device', path: '/device', headers: { accept: 'text/html' } },
  {
    name: 'POST /graphql { __typename }',
    path: '/graphql',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'sec-fetch-site': 'same-origin',
    },
    body: JSON.stringify({ query: '{ __typename }' }),
  },
]

/** https://www.rfc-editor.org/rfc/rfc8693#section-2.1 */
async function exchange(adapter: Place, token: string): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'openid profile read',
  })
  const answer = await ask({
    url: `${adapter.url}/oauth2/token`,
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: `Basic ${Buffer.from('client:secret').toString('base64')}`,
    },
    body: form.toString(),
  })
  const { access_token: jwt } = JSON.parse(answer.body) as { access_token?: string }
  if (!jwt) throw new Error(`the adapter answered ${answer.status}: ${answer.body}`)
  return jwt
}

async function checkedCookie({ testApp, adapter, identity }: GatewayChain): Promise<string> {
  const cookie = `${COOKIE}=${await exchange(adapter, await identityToken(identity))}`
  const page = (headers: Ask['headers'] = {}) => ask({ url: `${testApp.url}/device`, headers })
  const [known, unknown] = [await page({ cookie }), await page()]
  if (known.body.includes(NAME) && !unknown.body.includes(NAME)) return cookie
  throw new Error(`the cookie is not taken for a sign-in: ${known.status}, ${unknown.status}`)
}

async function expectOk(asking: Ask): Promise<void> {
  const answer = await ask(asking)
  if (answer.status !== 200)
    throw new Error(`${asking.url} answered ${answer.status}: ${answer.body}`)
}

export async function measureMiddleware(
  chain: GatewayChain,
  rounds: Rounds,
): Promise<MiddlewareCost[]> {
  const { url: origin, pid } = chain.testApp
  let cookie = ''
  let madeAt = -Infinity
  const renew = async () => {
    if (performance.now() - madeAt < NEW_TOKEN_AFTER_MS) return
    cookie = await checkedCookie(chain)
    madeAt = performance.now()
  }
  const costs: MiddlewareCost[] = []
  for (const { name, path, headers, ...rest } of REQUESTS) {
    const plain: Ask = { url: origin + path, headers: { origin, ...headers }, ...rest }
    const known = () => expectOk({ ...plain, headers: { ...plain.headers, cookie } })
    const [authenticated, unauthenticated] = await measureInTurn(
      [
        { pid, perform: known },
        { pid, perform: () => expectOk(plain) },
      ],
      rounds,
      renew,
    )
    const cpuRatio = authenticated.cpu / unauthenticated.cpu
    const p50Ratio = authenticated.p50 / unauthenticated.p50
    costs.push({ name, authenticated, unauthenticated, cpuRatio, p50Ratio })
  }
  return costs
}

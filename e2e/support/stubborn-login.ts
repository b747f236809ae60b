// A person who signs in whatever happens: reloads what did not load, and begins again at the app when a page says so.
import { authorizationRequest, redeemCode, type Tokens } from './http-client.ts'
import { createHttpBrowser, type HttpAnswer, type HttpBrowser } from './http-browser.ts'
import type { Chain } from './processes.ts'

export interface Hop {
  url: URL
  method: 'GET' | 'POST'
}

export interface StubbornLogin {
  tokens: Tokens
  /** How often the app sent the person off. */
  starts: number
  /** How often the upstream's form was filled in. */
  forms: number
  /** How often a page had to be loaded again. */
  reloads: number
  /** Status of each page that said to begin again. */
  pages: number[]
}

export interface StubbornOptions {
  /** Sends the request of this hop; here a test does its harm. */
  send<T>(hop: Hop, request: () => Promise<T>): Promise<T>
}

const MOST_HOPS = 60
const MOST_TRIES = 5
const FORM = { username: 'testuser', password: 'password', action: 'sign-in' }

interface Next {
  url: URL
  form?: Record<string, string>
}

function formOf({ body, url }: HttpAnswer): Next | undefined {
  const action = /<form[^>]*action="([^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
  const interaction = /name="interaction" value="([^"]*)"/.exec(body)?.[1]
  if (action === undefined || interaction === undefined) return undefined
  return { url: new URL(action, url), form: { interaction, ...FORM } }
}

/** Rejects when the person would give up: no way on, or no end of it. */
export async function stubbornLogin(
  chain: Chain,
  { send }: StubbornOptions,
): Promise<StubbornLogin> {
  const browser = createHttpBrowser()
  const seen = { starts: 1, forms: 0, reloads: 0, pages: [] as number[] }
  let request = authorizationRequest(chain)
  let next: Next = { url: request.url }

  function beginAgain(): void {
    seen.starts += 1
    request = authorizationRequest(chain)
    next = { url: request.url }
  }

  /** The app's address for the answer: the code is redeemed, once more when the call got lost, or the person begins again. */
  async function redeem(callback: URL): Promise<Tokens | undefined> {
    const hop = { url: new URL('/oauth2/token', chain.adapterUrl), method: 'POST' } as const
    const call = () => redeemCode(chain, callback, request)
    return send(hop, call).catch(() => insist(call).catch(refused))
  }

  function refused(error: Error): undefined {
    if (!error.message.includes('invalid_grant')) throw error
    beginAgain()
  }

  function goOn(answer: HttpAnswer): void {
    const form = formOf(answer)
    if (answer.location) next = { url: answer.location }
    else if (form) {
      seen.forms += 1
      next = form
    } else {
      if (!answer.body.includes(`href="${chain.appUrl}/"`))
        throw new Error(`A dead end: ${answer.status} at ${answer.url.pathname}`)
      seen.pages.push(answer.status)
      beginAgain()
    }
  }

  for (let hops = 0; hops < MOST_HOPS; hops += 1) {
    const { url, form } = next
    if (url.origin === chain.appUrl) {
      const tokens = await redeem(url)
      if (tokens) return { tokens, ...seen }
      continue
    }
    const hop: Hop = { url, method: form ? 'POST' : 'GET' }
    const answer = await send(hop, () => browser.request(url, form)).catch(() =>
      reload(browser, next, seen),
    )
    goOn(answer)
  }
  throw new Error(`No end after ${MOST_HOPS} requests`)
}

function reload(
  browser: HttpBrowser,
  { url, form }: Next,
  seen: { reloads: number },
): Promise<HttpAnswer> {
  return insist(() => {
    seen.reloads += 1
    return browser.request(url, form)
  })
}

/** Once more while the connection broke: a client may have several that lead to a process which was killed. */
export async function insist<T>(call: () => Promise<T>, tries = MOST_TRIES): Promise<T> {
  try {
    return await call()
  } catch (error) {
    if (tries <= 1 || !(error instanceof TypeError)) throw error
    return insist(call, tries - 1)
  }
}

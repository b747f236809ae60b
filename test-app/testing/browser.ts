// Just enough browser for HTTP tests: one cookie jar for all ports of a host, as real ones have, and redirects by hand.
// Not on fetch, which sends fetch metadata of its own.
import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { formOf } from '../../adapter/test-support/browser.ts'

export interface Answer {
  readonly status: number
  readonly url: string
  readonly location: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Addresses passed on the way here. */
  readonly hops: readonly string[]
}

export interface Visit {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly form?: Record<string, string>
  /** Sent as JSON, as a script of the app's own page does. */
  readonly json?: unknown
}

export interface TestBrowser {
  readonly cookies: Map<string, string>
  /** Everything that any answer set, with its attributes. */
  readonly setCookies: string[]
  acceptsCookies: boolean
  /** Names of cookies that it does not keep. */
  readonly refuses: Set<string>
  /** One request, no redirect followed. */
  open(url: string, visit?: Visit): Promise<Answer>
  /** Follows redirects, twenty at most. */
  go(url: string, visit?: Visit): Promise<Answer>
  /** Sends the first form of the page with its hidden fields and these, and follows redirects. */
  submit(page: Answer, fields?: Record<string, string>): Promise<Answer>
}

export const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
} as const

/** What a page's own script sends with its requests. */
export const OWN_SCRIPT = {
  accept: 'application/json',
  'sec-fetch-mode': 'cors',
  'sec-fetch-dest': 'empty',
  'sec-fetch-site': 'same-origin',
} as const

function usualHeaders({ form, json }: Visit): Record<string, string> {
  if (json !== undefined) return OWN_SCRIPT
  return form ? { ...NAVIGATION, 'sec-fetch-site': 'same-origin' } : NAVIGATION
}

const MOST_HOPS = 20

interface Body {
  readonly type: string
  readonly text: string
}

function bodyOf({ form, json }: Visit): Body | undefined {
  if (json !== undefined) return { type: 'application/json', text: JSON.stringify(json) }
  if (!form) return undefined
  const text = new URLSearchParams(form).toString()
  return { type: 'application/x-www-form-urlencoded', text }
}

function send(
  url: string,
  method: string,
  body: Body | undefined,
  headers: Record<string, string>,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, { method, headers, agent: false }, resolve).on('error', reject).end(body?.text)
  })
}

export function createTestBrowser(): TestBrowser {
  const cookies = new Map<string, string>()
  const setCookies: string[] = []
  const refuses = new Set<string>()

  function keep(line: string): void {
    setCookies.push(line)
    if (!browser.acceptsCookies) return
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const at = pair.indexOf('=')
    const isGone = attributes.some(
      (part) => /^expires=/i.test(part) && Date.parse(part.slice(8)) <= Date.now(),
    )
    if (refuses.has(pair.slice(0, at))) return
    if (isGone) cookies.delete(pair.slice(0, at))
    else cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }

  const browser: TestBrowser = {
    cookies,
    setCookies,
    acceptsCookies: true,
    refuses,
    async open(url, visit = {}) {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const body = bodyOf(visit)
      const response = await send(url, visit.method ?? (body ? 'POST' : 'GET'), body, {
        ...(cookie ? { cookie } : {}),
        ...(body ? { 'content-type': body.type } : {}),
        ...(visit.headers ?? usualHeaders(visit)),
      })
      response.headers['set-cookie']?.forEach(keep)
      const { location } = response.headers
      return {
        status: response.statusCode ?? 0,
        url,
        location: location === undefined ? undefined : new URL(location, url).href,
        headers: response.headers,
        text: await textOf(response),
        hops: [],
      }
    },
    async go(url, visit) {
      const hops: string[] = []
      let answer = await browser.open(url, visit)
      while (answer.location !== undefined && answer.status < 400) {
        hops.push(answer.location)
        if (hops.length > MOST_HOPS) throw new Error(`More than ${MOST_HOPS} redirects`)
        answer = await browser.open(answer.location)
      }
      return { ...answer, hops }
    },
    submit(page, fields = {}) {
      const form = formOf({ body: page.text, url: new URL(page.url) })
      return browser.go(form.action.href, { form: { ...form.fields, ...fields } })
    },
  }
  return browser
}

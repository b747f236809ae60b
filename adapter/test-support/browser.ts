// A browser for tests as far as redirects, cookies and forms go: a jar by host and path (ports do not matter to it), and
// every hop of a navigation to look at. It visits only the origins it was given and stops at the border of the rest.

export interface Cookie {
  name: string
  value: string
  host: string
  path: string
  /** Epoch milliseconds; absent for a session cookie. */
  expiresAt?: number
  /** As received: `HttpOnly`, `SameSite=Lax` … */
  attributes: string[]
}

export interface Hop {
  method: string
  url: URL
  status: number
  location: string | undefined
  setCookies: string[]
  headers: Headers
}

export interface Visit {
  /** Where the navigation ended; an origin the browser does not visit counts as reached. */
  url: URL
  /** Of the last response. */
  status: number
  headers: Headers
  body: string
  hops: Hop[]
}

export interface NavigateOptions {
  form?: Readonly<Record<string, string>>
  headers?: Readonly<Record<string, string>>
  /** Stops before this path is requested. */
  stopBefore?: (url: URL) => boolean
}

export interface Browser {
  cookies: Cookie[]
  /** Everything that ever came by Set-Cookie. */
  readonly received: Cookie[]
  open(url: string | URL, options?: NavigateOptions): Promise<Visit>
  /** Sends the first form of the page with its hidden fields and these. */
  submit(
    page: Visit,
    fields?: Readonly<Record<string, string>>,
    options?: NavigateOptions,
  ): Promise<Visit>
  cookie(name: string | RegExp): Cookie | undefined
  /** What it would send. */
  cookieHeader(url: string | URL): string
}

const MAX_HOPS = 20

const unescaped = (text: string) =>
  text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
const attribute = (tag: string, name: string) =>
  unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1] ?? '')

/** Where the page's first form leads, and its hidden fields. */
export function formOf({ body, url }: Pick<Visit, 'body' | 'url'>): {
  action: URL
  fields: Record<string, string>
} {
  const [form = ''] = /<form[\s\S]*?<\/form>/.exec(body) ?? []
  const inputs = form.match(/<input[^>]*type="hidden"[^>]*>/g) ?? []
  const fields = Object.fromEntries(
    inputs.map((tag) => [attribute(tag, 'name'), attribute(tag, 'value')]),
  )
  return { action: new URL(attribute(form, 'action'), url), fields }
}

/** A Set-Cookie header as a browser at `url` reads it (RFC 6265, section 5.2). */
export function parseSetCookie(header: string, url: URL): Cookie {
  const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
  const [name = '', value = ''] = pair.split(/=(.*)/s)
  const valueOf = (attributeName: string) =>
    attributes
      .find((part) => part.toLowerCase().startsWith(`${attributeName}=`))
      ?.slice(attributeName.length + 1)
  const maxAge = valueOf('max-age')
  const expires = valueOf('expires')
  const expiresAt =
    maxAge !== undefined
      ? Date.now() + Number(maxAge) * 1000
      : expires !== undefined
        ? Date.parse(expires)
        : undefined
  const defaultPath = url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/')))
  return {
    name,
    value,
    host: url.hostname,
    path: valueOf('path') ?? defaultPath,
    attributes,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

const pathMatches = (path: string, cookiePath: string) =>
  path === cookiePath || path.startsWith(cookiePath.replace(/\/?$/, '/'))

/** `origins`: where it goes. */
export function createBrowser(origins: readonly string[]): Browser {
  const browser: Browser = { cookies: [], received: [], open, submit, cookie, cookieHeader }

  function store(header: string, url: URL): void {
    const received = parseSetCookie(header, url)
    const isSame = ({ name, host, path }: Cookie) =>
      name === received.name && host === received.host && path === received.path
    browser.cookies = browser.cookies.filter((known) => !isSame(known))
    if (received.expiresAt !== undefined && received.expiresAt <= Date.now()) return
    browser.cookies.push(received)
    browser.received.push(received)
  }

  function cookieHeader(target: string | URL): string {
    const url = new URL(target)
    const live = browser.cookies.filter(
      ({ expiresAt }) => expiresAt === undefined || expiresAt > Date.now(),
    )
    const sent = live.filter(
      ({ host, path }) => host === url.hostname && pathMatches(url.pathname, path),
    )
    return sent
      .toSorted((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
  }

  async function request(
    url: URL,
    { form, headers }: NavigateOptions,
  ): Promise<{ response: Response; hop: Hop }> {
    const cookies = cookieHeader(url)
    const init = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
    const response = await fetch(url, {
      ...init,
      headers: {
        accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
        ...(cookies ? { cookie: cookies } : {}),
        ...headers,
      },
      redirect: 'manual',
    })
    const setCookies = response.headers.getSetCookie()
    setCookies.forEach((header) => store(header, url))
    const location = response.headers.get('location') ?? undefined
    return {
      response,
      hop: {
        method: form ? 'POST' : 'GET',
        url,
        status: response.status,
        location,
        setCookies,
        headers: response.headers,
      },
    }
  }

  async function open(start: string | URL, options: NavigateOptions = {}): Promise<Visit> {
    const hops: Hop[] = []
    let url = new URL(start)
    let { response, hop } = await request(url, options)
    for (;;) {
      hops.push(hop)
      const body = await response.text()
      if (hop.location === undefined)
        return { url, status: hop.status, headers: hop.headers, body, hops }
      url = new URL(hop.location, url)
      if (!origins.includes(url.origin) || options.stopBefore?.(url))
        return { url, status: hop.status, headers: hop.headers, body, hops }
      if (hops.length >= MAX_HOPS)
        throw new Error(
          `More than ${MAX_HOPS} redirects: ${hops.map((each) => each.url.pathname).join(' ')}`,
        )
      ;({ response, hop } = await request(url, {}))
    }
  }

  function submit(
    page: Visit,
    fields: Readonly<Record<string, string>> = {},
    options: NavigateOptions = {},
  ): Promise<Visit> {
    const form = formOf(page)
    return open(form.action, { ...options, form: { ...form.fields, ...fields } })
  }

  function cookie(name: string | RegExp): Cookie | undefined {
    return browser.cookies.find((each) =>
      typeof name === 'string' ? each.name === name : name.test(each.name),
    )
  }

  return browser
}

// A browser as far as redirects, cookies and forms of the chain go: for many logins at once, and for answers that get lost.
// One host on several ports, as the demo; it does not know what a cookie attribute means beyond its path.

interface Cookie {
  value: string
  path: string
}

export interface HttpAnswer {
  url: URL
  status: number
  headers: Headers
  body: string
  /** Where it redirects to. */
  location: URL | undefined
}

export interface HttpBrowser {
  /** One request; follows nothing. A `form` makes it a POST. */
  request(url: string | URL, form?: Readonly<Record<string, string>>): Promise<HttpAnswer>
  /** Follows redirects up to the first answer that is none, or to the first whose next hop `stopBefore` says. */
  follow(
    url: string | URL,
    stopBefore?: (next: URL) => boolean,
    form?: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer>
  /** One request whose answer never arrives: neither its cookies nor where it leads. */
  requestInVain(url: string | URL): Promise<void>
  /** Values of all cookies ever received. */
  readonly received: readonly string[]
}

const MAX_HOPS = 20

/** `send`: what makes the requests. */
export function createHttpBrowser(send: typeof fetch = fetch): HttpBrowser {
  const jar = new Map<string, Cookie>()
  const received: string[] = []

  function store(header: string): void {
    const [pair = '', ...attributes] = header.split(';').map((part) => part.trim())
    const [name = '', value = ''] = pair.split(/=(.*)/s)
    const path = attributes.find((part) => /^path=/i.test(part))?.slice('path='.length) ?? '/'
    const isOver = attributes.some((part) => /^max-age=0$|^expires=Thu, 01 Jan 1970/i.test(part))
    if (isOver) return void jar.delete(`${name};${path}`)
    jar.set(`${name};${path}`, { value, path })
    received.push(value)
  }

  function cookieHeader({ pathname }: URL): string {
    const isSent = (path: string) =>
      path === '/' || pathname === path || pathname.startsWith(`${path}/`)
    return [...jar]
      .filter(([, { path }]) => isSent(path))
      .map(([key, { value }]) => `${key.split(';')[0]}=${value}`)
      .join('; ')
  }

  async function request(
    target: string | URL,
    form?: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer> {
    const url = new URL(target)
    const headers = { accept: 'text/html', cookie: cookieHeader(url) }
    const init = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
    const response = await send(url, { ...init, headers, redirect: 'manual' })
    for (const header of response.headers.getSetCookie()) store(header)
    const location = response.headers.get('location')
    const body = await response.text()
    return {
      url,
      status: response.status,
      headers: response.headers,
      body,
      location: location === null ? undefined : new URL(location, url),
    }
  }

  async function follow(
    start: string | URL,
    stopBefore: (next: URL) => boolean = () => false,
    form?: Readonly<Record<string, string>>,
  ): Promise<HttpAnswer> {
    let answer = await request(start, form)
    for (let hops = 1; answer.location && !stopBefore(answer.location); hops += 1) {
      if (hops >= MAX_HOPS)
        throw new Error(`More than ${MAX_HOPS} redirects, the last to ${answer.location.pathname}`)
      answer = await request(answer.location)
    }
    return answer
  }

  async function requestInVain(target: string | URL): Promise<void> {
    const url = new URL(target)
    await fetch(url, {
      headers: { accept: 'text/html', cookie: cookieHeader(url) },
      redirect: 'manual',
    })
  }

  return { request, follow, requestInVain, received }
}

/** Sends the upstream's sign-in form that `page` shows. */
export function submitSignIn(
  browser: HttpBrowser,
  page: HttpAnswer,
  stopBefore?: (next: URL) => boolean,
): Promise<HttpAnswer> {
  const action = /<form[^>]*action="([^"]*)"/.exec(page.body)?.[1]
  const interaction = /name="interaction" value="([^"]*)"/.exec(page.body)?.[1]
  if (action === undefined || interaction === undefined)
    throw new Error(`No sign-in form at ${page.url.pathname} (${page.status})`)
  const target = new URL(action.replaceAll('&amp;', '&'), page.url)
  return browser.follow(target, stopBefore, {
    interaction,
    username: 'testuser',
    password: 'password',
    action: 'sign-in',
  })
}

// No secret of either leg is ever written down: not in the log at its most talkative, not on a page, not in the database
// file, not in a cookie.
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'
import { basic, createApp, type App } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { startChain, type Chain } from './test-support/chain.ts'

const CLIENT_SECRET = 'canary-client-secret-4f1d'
const SECRET_PARAMETERS = [
  'code',
  'state',
  'nonce',
  'code_challenge',
  'id_token_hint',
  'login_hint',
]
const LEGS: Record<string, string> = { client: 'app', 'test-client': 'upstream' }
/** What a pending login needs in clear. Without the code, which only the browser brings, it is of no use. */
const WORKING = new Set([
  'app state',
  'app nonce',
  'app code_challenge',
  'app login_hint',
  'upstream nonce',
  'upstream code_verifier',
])
/** These hold the interaction's uid, which counts only with the signature beside it, made with a key that is sealed. */
const SIGNED = new Set(['cookie AUTH_ADAPTER_INTERACTION', 'cookie AUTH_ADAPTER_RESUME'])

describe('A43 canaries', () => {
  let idp: EvilIdp
  let chain: Chain
  let app: App
  let browser: Browser
  /** Value → what it is. */
  const secrets = new Map<string, string>()
  const pages: Visit[] = []
  let accessToken = ''
  let idToken = ''

  function keep(kind: string, ...values: (string | undefined)[]): void {
    for (const value of values)
      if (value !== undefined && value.length >= 10 && !secrets.has(value)) secrets.set(value, kind)
  }

  function keepUrl({ searchParams }: URL): void {
    const leg = LEGS[searchParams.get('client_id') ?? '']
    for (const name of SECRET_PARAMETERS)
      keep(leg === undefined ? name : `${leg} ${name}`, ...searchParams.getAll(name))
  }

  function collect(visit: Visit): Visit {
    for (const { url, setCookies } of visit.hops) {
      keepUrl(url)
      for (const [name = '', value] of setCookies.map((cookie) => cookie.split(/[=;]/, 2)))
        keep(`cookie ${name}`, value)
    }
    keepUrl(visit.url)
    if (!visit.headers.has('location') && visit.url.origin === chain.url) pages.push(visit)
    return visit
  }

  function request(parameters = {}) {
    const made = app.request(parameters)
    keepUrl(made.url)
    keep('app code_verifier', made.verifier)
    return made
  }

  async function login(who = browser, parameters = {}) {
    const made = request(parameters)
    return { made, visit: collect(await who.open(made.url)) }
  }

  async function succeed(): Promise<void> {
    const { made, visit } = await login(browser, { login_hint: 'canary-login-hint@example.test' })
    const { body } = await app.finish(visit, made)
    ;({ access_token: accessToken, id_token: idToken } = body)
    keep(
      'token',
      accessToken,
      idToken,
      ...[accessToken, idToken].flatMap((token) => token.split('.').slice(1)),
    )
    await app.userinfo(accessToken)
    await app.finish(visit, made)
    await app.userinfo(accessToken)
    await presentEverywhere(accessToken)
    // A login that is pending while the person is signed in: what is stored of it names the session.
    collect(
      await browser.open(request({ prompt: 'login' }).url, {
        stopBefore: ({ origin }) => origin === idp.issuer,
      }),
    )
    const page = collect(await browser.open(`${chain.url}/connect/logout?id_token_hint=${idToken}`))
    collect(await browser.submit(page, { logout: 'yes' }))
  }

  async function presentEverywhere(token: string): Promise<void> {
    const authorization = basic('client', 'secret')
    const json = { 'content-type': 'application/json' }
    for (const path of ['/oauth2/introspect', '/oauth2/revoke', '/oauth2/introspect']) {
      const body = new URLSearchParams({ token })
      await fetch(chain.url + path, { method: 'POST', headers: { authorization }, body })
      await fetch(chain.url + path, { method: 'POST', body })
    }
    for (const body of [JSON.stringify({ token, audience: 'client' }), `{"token":"${token}"`])
      await fetch(`${chain.url}/verify`, { method: 'POST', headers: json, body })
  }

  async function failInEveryWay(): Promise<void> {
    const other = chain.newBrowser()
    const { made, visit } = await login(other)
    const code = visit.url.searchParams.get('code') ?? ''
    await app.redeem(code, { verifier: 'wrong-verifier-'.repeat(4) })
    await app.redeem(code, {
      verifier: made.verifier,
      credentials: { clientId: 'client', secret: 'canary-wrong-secret-77aa' },
    })
    keep('wrong secret', 'canary-wrong-secret-77aa', basic('client', 'canary-wrong-secret-77aa'))
    collect(
      await other.open(
        visit.hops.find(({ url }) => url.pathname.startsWith('/login/oauth2/code/'))?.url as URL,
      ),
    )
    const lies: (typeof idp.behaviour)[] = [
      { claims: (claims) => ({ ...claims, nonce: 'canary-upstream-nonce-19b3' }) },
      { claims: (claims) => ({ ...claims, aud: 'x' }) },
      { sign: () => Buffer.alloc(256, 7) },
      { response: (parameters) => void parameters.set('error', 'access_denied') },
      { response: (parameters) => void parameters.set('iss', 'https://evil.test') },
      {
        answer: {
          '/token': (_incoming, response) =>
            response.writeHead(500).end('canary-body-of-an-error-5e5e'),
        },
      },
      {
        answer: {
          '/token': (_incoming, response) =>
            response
              .writeHead(400, { 'content-type': 'application/json' })
              .end(
                '{"error":"invalid_grant","error_description":"canary-description-of-an-error-6f6f"}',
              ),
        },
      },
    ]
    for (const behaviour of lies) {
      idp.behaviour = { ...behaviour, token: remember }
      await login(chain.newBrowser())
    }
    idp.behaviour = { token: remember }
    await login(chain.newBrowser(), {
      redirect_uri: 'https://evil.test/?token=canary-in-a-redirect-uri-8c8c',
    })
    await login(chain.newBrowser(), { response_type: 'token' })
    await login(chain.newBrowser(), { prompt: 'none', id_token_hint: idToken })
    await login(chain.newBrowser(), { id_token_hint: `${idToken}x` })
    const stranger = chain.newBrowser()
    for (const path of [
      `/login/oauth2/code/evil?code=canary-unknown-code-2d2d&state=${'u'.repeat(20)}.${'v'.repeat(43)}`,
      '/userinfo?access_token=canary-token-in-a-query-3a3a',
      '/oauth2/token?client_secret=canary-secret-in-a-query-4b4b',
      '/x?password=canary-password-9e9e',
    ])
      collect(await stranger.open(chain.url + path))
    await app.userinfo(`${accessToken.slice(0, -5)}AAAAA`)
    await app.redeem('canary-made-up-code-0c0c', { verifier: made.verifier })
    keep('app login_hint', 'canary-login-hint')
    keep(
      'word',
      'canary-upstream-nonce-19b3',
      'canary-body-of-an-error-5e5e',
      'canary-in-a-redirect-uri-8c8c',
      'canary-unknown-code-2d2d',
      'canary-token-in-a-query-3a3a',
      'canary-secret-in-a-query-4b4b',
      'canary-password-9e9e',
      'canary-made-up-code-0c0c',
    )
  }

  function remember(body: Record<string, unknown>): Record<string, unknown> {
    keep(
      'upstream token',
      ...['access_token', 'refresh_token', 'id_token'].map((name) => String(body[name])),
    )
    return body
  }

  beforeAll(async () => {
    idp = await startEvilIdp()
    idp.behaviour = { token: remember }
    chain = await startChain({
      storage: 'sqlite',
      logLevel: 'trace',
      isAudited: true,
      upstreams: { evil: idp.issuer },
      config: { default_upstream: 'evil', clients: { client: { client_secret: CLIENT_SECRET } } },
    })
    app = createApp({
      issuer: chain.issuer,
      clientId: 'client',
      secret: CLIENT_SECRET,
      redirectUri: chain.app.redirectUri,
    })
    browser = chain.newBrowser()
    keep(
      'client secret',
      CLIENT_SECRET,
      basic('client', CLIENT_SECRET),
      'test-secret',
      basic('test-client', 'test-secret'),
    )
    await succeed()
    await failInEveryWay()
    for (const { body } of idp.requests)
      keep('upstream code_verifier', new URLSearchParams(body).get('code_verifier') ?? undefined)
    for (const [value, kind] of new Map(secrets))
      if (kind === 'upstream state') keep(kind, value.slice(value.indexOf('.') + 1))
    for (const { d, p } of chain.secrets.signingKeys.keys) keep('private key', d, p as string)
    keep('cookie key', ...chain.secrets.cookieKeys)
    keep('subject key', Buffer.from(chain.secrets.subjectKey).toString('base64url'))
  })
  afterAll(async () => {
    await chain.close()
    await idp.close()
  })

  /** Which of them a text holds, in any of the ways they are written. */
  const found = (text: string) =>
    [...secrets.keys()].filter((secret) =>
      [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')].some((written) =>
        text.includes(written),
      ),
    )

  it('collected enough to mean something: dozens of secrets, all kinds of lines', () => {
    expect(secrets.size).toBeGreaterThan(100)
    const events = new Set(
      chain.logLines.map((line) => (JSON.parse(line) as { event: string }).event),
    )
    for (const event of [
      'login.started',
      'login.finished',
      'login.failed',
      'login.refused',
      'code.issued',
      'token.issued',
      'token.refused',
      'authorization.refused',
      'request.done',
      'logout.done',
    ])
      expect(events).toContain(event)
    expect(pages.length).toBeGreaterThan(5)
    expect(new Set(secrets.values()).size).toBeGreaterThanOrEqual(14)
    expect(found(`before ${[...secrets.keys()][0] as string} after`)).not.toEqual([])
  })

  it('the log at level trace holds none of them (CVE-2020-1698)', () => {
    for (const line of chain.logLines)
      expect(
        found(line).map((secret) => `${secrets.get(secret) ?? ''} ${secret} in ${line}`),
      ).toEqual([])
  })

  it('nor do the security events, which name no person and no e-mail address either', () => {
    const entries = chain.auditEntries()
    const events = new Set(entries.map(({ event }) => event))
    for (const event of ['login.succeeded', 'login.failed', 'login.refused', 'session.ended'])
      expect(events).toContain(event)
    for (const entry of entries) {
      const text = JSON.stringify(entry)
      expect(found(text).map((secret) => `${secrets.get(secret) ?? ''} in ${text}`)).toEqual([])
      expect(text).not.toMatch(/[^\s"]@[^\s"]/)
    }
  })

  it('no page of ours holds one, but for the forms that carry it on', () => {
    for (const { body } of pages)
      expect(
        found(body.replaceAll(/<input[^>]*type="hidden"[^>]*>/g, ''))
          .map((secret) => secrets.get(secret) ?? '')
          .filter((kind) => !SIGNED.has(kind)),
      ).toEqual([])
  })

  it('A42 each log line is one JSON object', () => {
    for (const line of chain.logLines) {
      expect(line.endsWith('\n') && !line.slice(0, -1).includes('\n')).toBe(true)
      expect(JSON.parse(line)).toMatchObject({
        event: expect.any(String) as unknown,
        time: expect.any(String) as unknown,
      })
    }
  })

  it('the database file holds no usable value: no code, token, cookie, state, secret or private key', async () => {
    const files = (await readdir(chain.folder)).filter((name) => name.startsWith('adapter.sqlite'))
    const bytes = (
      await Promise.all(files.map((name) => readFile(join(chain.folder, name), 'latin1')))
    ).join('\n')
    expect(bytes).toContain('Sealed:cookie-keys')
    expect(bytes).toContain('Sealed:signing-key-ring')
    expect(bytes).toContain('LoginTransaction:')
    const sealingKey = (await readFile(join(chain.folder, 'sealing.key'), 'utf8')).trim()
    expect(bytes).not.toContain(sealingKey)
    expect(
      found(bytes)
        .filter(
          (secret) =>
            !WORKING.has(secrets.get(secret) ?? '') && !SIGNED.has(secrets.get(secret) ?? ''),
        )
        .map((secret) => `${secrets.get(secret) ?? ''} ${secret}`),
    ).toEqual([])
  })

  it('the sealing key is for its owner only', async () => {
    expect((await stat(join(chain.folder, 'sealing.key'))).mode & 0o777).toBe(0o600)
  })

  it('A35 cookies hold opaque ids and MACs only (CVE-2024-4540)', () => {
    const cookies = browser.received.filter(({ name }) => name.startsWith('AUTH_ADAPTER_'))
    expect(
      new Set(cookies.map(({ name }) => name.replace(/(LOGIN)_.+/, '$1'))).size,
    ).toBeGreaterThanOrEqual(7)
    for (const { name, value } of cookies) {
      expect(value.length).toBeLessThan(256)
      if (!name.startsWith('AUTH_ADAPTER_LOGIN_')) expect(value, name).toMatch(/^[\w-]{27,43}$/)
      else {
        const [issuedAt, client, flowId, mac, ...rest] = value.split('.')
        expect([
          Number.parseInt(issuedAt as string, 36) > 0,
          Buffer.from(client as string, 'base64url').toString(),
          rest,
        ]).toEqual([true, 'client', []])
        expect(flowId).toMatch(/^[\w-]{12}$/)
        expect(mac).toMatch(/^[\w-]{22}$/)
      }
    }
  })
})

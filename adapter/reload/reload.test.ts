// Another configuration while people sign in: taken whole or not at all, over real HTTP with the real upstream.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import type { Config } from '../config/schema.ts'
import { createAdapter } from '../server.ts'
import { createBreaker } from '../test-support/breakable-driver.ts'
import { claimsOf } from '../test-support/app.ts'
import type { Browser } from '../test-support/browser.ts'
import { createDevice, DEVICES } from '../test-support/device.ts'
import { startChain, UPSTREAM, type Chain } from '../test-support/chain.ts'
import { endRevoked } from './end-revoked.ts'
import { contentsOf, generationId } from './generation-id.ts'
import { createGenerations, type Generations } from './generations.ts'
import { createReload, type Reload } from './reload.ts'
import { watchFiles, type FileWatch } from '../../service/watch-files.ts'

interface Settings {
  [name: string]: unknown
}

const breaker = createBreaker()
let chain: Chain
let generations: Generations
let watch: FileWatch
let reload: Reload
let browser: Browser

/** What run-adapter.ts does, over the chain's storage, upstream and port. */
async function startReloading(): Promise<void> {
  const { config, driver, secrets, log } = chain
  const now = () => Date.now()
  const key = secrets.cookieKeys[0] as string
  const build = (next: Config, generation: string) =>
    createAdapter({ config: next, generation, driver, secrets, version: 'test', log, now })
  const sources = { file: chain.configFile, env: {} }
  const loaded = loadConfig(sources)
  const id = generationId(config, contentsOf(config), key)
  generations = createGenerations({ id, config, adapter: await build(config, id) })
  watch = watchFiles({ onChange: () => undefined })
  watch.follow([chain.configFile])
  const onTaken = (taken: Config) => endRevoked({ driver, config: taken, log })
  reload = createReload({ sources, loaded, generations, build, onTaken, key, watch, log })
  chain.serve(generations.handler)
}

beforeEach(async () => {
  chain = await startChain({
    upstreams: { other: 'http://127.0.0.1:1' },
    wrapDriver: (driver) => breaker.wrap(driver),
  })
  await startReloading()
  browser = chain.newBrowser()
})
afterEach(async () => {
  breaker.mend()
  watch.close()
  await generations.close()
  await chain.close()
})

/** Edits the file; `edit` may change what it is given. */
function edit(change: (settings: Settings, upstream: Settings) => void): void {
  const settings = JSON.parse(readFileSync(chain.configFile, 'utf8')) as Settings
  change(settings, (settings['upstreams'] as Settings)[UPSTREAM] as Settings)
  writeFileSync(chain.configFile, JSON.stringify(settings, null, 2))
}
const editUpstream = (changes: Settings) =>
  edit((_settings, upstream) => void Object.assign(upstream, changes))

async function signIn(person = browser, username = 'testuser') {
  const request = chain.app.request()
  const visit = await chain.signIn(person, request.url, username)
  return (await chain.app.finish(visit, request)).body
}

interface AppKey {
  jwk: JWK
  privateKey: CryptoKey
}

async function appKey(kid: string): Promise<AppKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } }
}

/** The status that a client gets which proves itself with this key. */
async function askAs(client: string, { jwk, privateKey }: AppKey): Promise<number> {
  const assertion = await new SignJWT({ iss: client, sub: client, aud: chain.issuer })
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid as string })
    .setIssuedAt()
    .setExpirationTime('60s')
    .setJti(crypto.randomUUID())
    .sign(privateKey)
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion: assertion,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  })
  return (await fetch(`${chain.issuer}/oauth2/token`, { method: 'POST', body })).status
}

describe('a valid file', () => {
  it('is taken, the log says what changed, and the next login goes by it', async () => {
    const before = claimsOf((await signIn()).access_token)
    editUpstream({ claims: { renamed: 'sub' } })
    expect(await reload('command')).toMatchObject({ outcome: 'taken', added: [], removed: [] })
    const after = claimsOf((await signIn(chain.newBrowser())).access_token)
    expect([before['renamed'], after['renamed']]).toEqual([undefined, 'testuser'])
    expect(after).not.toHaveProperty('authorities')
    expect(chain.events('config.loaded')).toHaveLength(1)
    expect(chain.events('config.loaded')[0]).toMatchObject({
      trigger: 'command',
      changed: expect.arrayContaining([
        `upstreams.${UPSTREAM}.claims.renamed: none → "sub"`,
        `upstreams.${UPSTREAM}.claims.name: "name" → none`,
      ]) as string[],
    })
  })

  it('with an upstream and a client more or less is told as that', async () => {
    edit((settings, upstream) => {
      const { other: _gone, ...upstreams } = settings['upstreams'] as Settings
      settings['upstreams'] = { ...upstreams, next: { ...upstream, subject: 'prefixed' } }
      settings['clients'] = { client: (settings['clients'] as Settings)['client'] }
    })
    expect(await reload('signal')).toEqual({
      outcome: 'taken',
      added: ['upstreams.next'],
      removed: ['upstreams.other', 'clients.second-client'],
      changed: [],
    })
  })

  it('C43 an app’s next key, in a file of its own: good as soon as the change is seen, and the key before for as long as it stands there', async () => {
    const keys = await Promise.all([appKey('first'), appKey('next')])
    const jwksFile = join(chain.folder, 'machine.jwks.json')
    const publish = (...which: AppKey[]) =>
      writeFileSync(jwksFile, JSON.stringify({ keys: which.map(({ jwk }) => jwk) }))
    const [first, next] = keys
    publish(first)
    edit((settings) => {
      const machine = { grant_types: ['client_credentials'], scope: 'jobs' }
      const jwks = '${file:machine.jwks.json}'
      Object.assign(settings['clients'] as Settings, { machine: { ...machine, jwks } })
    })
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    const outcomes = () => Promise.all(keys.map((key) => askAs('machine', key)))
    expect(await outcomes()).toEqual([200, 401])
    expect([...watch.stamps().keys()]).toContain(jwksFile)
    publish(first, next)
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    expect(await outcomes()).toEqual([200, 200])
    publish(next)
    await reload('file')
    expect(await outcomes()).toEqual([401, 200])
  })

  it('that says the same is no change, and the log says so', async () => {
    writeFileSync(chain.configFile, `# a remark\n${readFileSync(chain.configFile, 'utf8')}`)
    const before = generations.current
    expect(await reload('file')).toEqual({ outcome: 'unchanged' })
    expect(generations.current).toBe(before)
    expect(chain.events('config.unchanged')).toHaveLength(1)
  })

  it('changes what the log writes', async () => {
    edit((settings) => void (settings['log'] = { level: 'error' }))
    await reload('file')
    const before = chain.logLines.length
    await signIn()
    expect(chain.logLines).toHaveLength(before)
  })

  it('never shows a secret', async () => {
    editUpstream({ client_secret: 'another-upstream-secret' })
    const outcome = await reload('file')
    expect(outcome).toMatchObject({ changed: [`upstreams.${UPSTREAM}.client_secret: *** → ***`] })
    expect(JSON.stringify(outcome) + chain.logLines.join('')).not.toMatch(/another-upstream-secret/)
  })
})

describe('F72 a file with an error', () => {
  it.each([
    ['broken in the middle of an edit', 'upstreams:\n  one: { kind: oidc\n clients', /:\d+:\d+: /],
    ['empty', '', /auth-adapter\.yaml/],
    ['of something else', '[1, 2]', /auth-adapter\.yaml/],
  ])('%s: the old configuration stays, and one line says why', async (_name, text, place) => {
    writeFileSync(chain.configFile, text)
    await expectRejected(place)
  })

  it('that is gone: the old configuration stays', async () => {
    rmSync(chain.configFile)
    await expectRejected(/there is no such file/)
  })

  it.each([
    [
      'a setting that does not exist',
      { issuerr: 'https://up.test' },
      /:\d+:\d+: .*Unknown setting/,
    ],
    ['another kind of value', { timeout: 'soon' }, /:\d+:\d+: .*timeout/],
    ['a key that is not there', { client_auth_method: 'private_key_jwt' }, /client_key/],
    ['authorities that are not there', { ca_file: 'gone.pem' }, /ca_file/],
  ])('%s: each fault with its place', async (_name, changes, fault) => {
    editUpstream(changes)
    await expectRejected(fault)
  })

  it('what only the authorization server refuses counts too', async () => {
    edit((settings) => {
      const client = (settings['clients'] as Settings)['client'] as Settings
      client['redirect_uris'] = ['http://app.test/cb#fragment']
    })
    await expectRejected(/clients\.client/)
  })

  it('mended, it is taken', async () => {
    const good = readFileSync(chain.configFile, 'utf8')
    writeFileSync(chain.configFile, good.slice(0, 200))
    await reload('file')
    writeFileSync(chain.configFile, good)
    editUpstream({ display_name: 'Mended' })
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
  })

  it('shows no secret of it', async () => {
    edit((settings, upstream) => {
      upstream['client_secret'] = { nested: 'misplaced-secret-1' }
      settings['client_secret'] = 'misplaced-secret-2'
    })
    const outcome = await reload('command')
    expect(outcome.outcome).toBe('rejected')
    expect(JSON.stringify(outcome) + chain.logLines.join('')).not.toMatch(/misplaced-secret/)
  })

  async function expectRejected(fault: RegExp): Promise<void> {
    const before = generations.current
    const outcome = await reload('file')
    expect(outcome).toMatchObject({ outcome: 'rejected' })
    expect(generations.current).toBe(before)
    const [event, ...more] = chain.events('config.rejected')
    expect(more).toEqual([])
    expect(event).toMatchObject({ trigger: 'file', level: 'error' })
    expect(String(event?.['faults'])).toMatch(fault)
    expect(claimsOf((await signIn()).access_token)['sub']).toBe('testuser')
  }
})

describe('what can not change while it runs', () => {
  it.each([
    ['issuer', { issuer: 'https://broker.test' }],
    ['listen.port', { listen: { port: 9999 } }],
    ['keys.alg', { keys: { alg: 'ES256' } }],
    ['storage.prefix', { storage: { driver: 'redis', url: 'redis://127.0.0.1:1', prefix: 'b' } }],
  ])('%s: nothing at all is taken over, and one sentence names it', async (setting, changes) => {
    edit((settings, upstream) => {
      Object.assign(settings, changes)
      upstream['display_name'] = 'Another'
    })
    const before = generations.current
    const outcome = await reload('command')
    expect(outcome).toMatchObject({ outcome: 'needs_restart' })
    expect(generations.current).toBe(before)
    const reason = String(chain.events('config.rejected')[0]?.['reason'])
    expect(reason).toContain(setting)
    expect(reason).toMatch(/can not change while the adapter runs/)
  })
})

describe('a login under way', () => {
  const leaving = (url: URL) => url.origin === chain.upstreamIssuer

  it('finishes on the configuration it began with, the next one goes by the new', async () => {
    const request = chain.app.request()
    const form = await browser.open(request.url)
    editUpstream({ claims: { renamed: 'sub' } })
    await reload('file')
    const visit = await browser.submit(form, { username: 'testuser', password: 'password' })
    const claims = claimsOf((await chain.app.finish(visit, request)).body.access_token)
    expect(claims).toMatchObject({ test_auth_server_sub: 'testuser', authorities: ['ROLE_USER'] })
    expect(claims).not.toHaveProperty('renamed')
    const next = await browser.open(chain.app.request().url)
    expect(next.hops.some(({ url }) => leaving(url))).toBe(true)
  })

  it('goes on at every step: sent upstream, resumed, and after three more changes', async () => {
    const request = chain.app.request()
    const sent = await browser.open(request.url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorization/'),
    })
    for (const display_name of ['One', 'Two', 'Three']) {
      editUpstream({ display_name, claims: { renamed: 'sub' } })
      await reload('file')
    }
    const form = await browser.open(sent.url)
    const answered = await browser.submit(
      form,
      { username: 'testuser', password: 'password' },
      { stopBefore: ({ origin }) => origin === chain.issuer },
    )
    editUpstream({ display_name: 'Four' })
    await reload('file')
    const resumed = await browser.open(answered.url, {
      stopBefore: ({ pathname }) => pathname.startsWith('/oauth2/authorize/'),
    })
    editUpstream({ display_name: 'Five' })
    await reload('file')
    const back = await browser.open(resumed.url)
    const claims = claimsOf((await chain.app.finish(back, request)).body.access_token)
    expect(claims).not.toHaveProperty('renamed')
  })

  it('goes on at the consent page, and on the way back to a device', async () => {
    const clients = (settings: Settings) => settings['clients'] as Record<string, Settings>
    edit((settings) => {
      Object.assign(clients(settings)['client'] ?? {}, { third_party: true })
      Object.assign(clients(settings), DEVICES)
    })
    await reload('file')
    const request = chain.app.request()
    const question = await chain.signIn(browser, request.url)
    expect(question.url.pathname).toBe('/consent')
    const device = createDevice(chain.issuer)
    const { body: codes } = await device.start()
    const other = chain.newBrowser()
    const typed = await other.open(codes.verification_uri_complete)
    const confirm = await other.submit(typed, { user_code: codes.user_code })
    const pressed = await other.submit(confirm, { confirm: 'yes' })
    const start = pressed.headers.get('refresh')?.split('url=')[1] ?? ''
    edit((settings) => {
      Object.assign(clients(settings)['client'] ?? {}, { third_party: false })
      for (const id of Object.keys(DEVICES)) delete clients(settings)[id]
    })
    await reload('file')
    const allowed = await browser.submit(question, { decision: 'allow' })
    const back = await browser.open(allowed.headers.get('refresh')?.split('url=')[1] ?? '')
    expect((await chain.app.finish(back, request)).status).toBe(200)
    const done = await chain.signIn(other, new URL(start, chain.url))
    expect(done.body).toContain('Your device is signed in')
  })

  it('is over after login.ttl on the configuration that is in force then', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const before = generations.current
    const close = vi.spyOn(before.adapter, 'close')
    editUpstream({ display_name: 'Another' })
    await reload('file')
    vi.advanceTimersByTime((before.config.login.ttl - 1) * 1000)
    expect(close).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1000)
    expect(close).toHaveBeenCalledOnce()
    vi.useRealTimers()
  })

  it.each([
    ['taken out', (upstreams: Settings) => void delete upstreams[UPSTREAM]],
    [
      'changed with on_change: revoke',
      (upstreams: Settings) =>
        void Object.assign(upstreams[UPSTREAM] as Settings, {
          on_change: 'revoke',
          client_id: 'another-client',
        }),
    ],
  ])('A17 is refused at an upstream that was %s', async (_name, change) => {
    const request = chain.app.request()
    const form = await browser.open(request.url)
    edit((settings) => {
      change(settings['upstreams'] as Settings)
      settings['default_upstream'] = 'other'
    })
    await reload('file')
    const visit = await browser.submit(form, { username: 'testuser', password: 'password' })
    const { origin, pathname, searchParams } = visit.url
    const isBack = origin + pathname === chain.app.redirectUri
    expect(isBack && searchParams.has('code')).toBe(false)
    expect(isBack || visit.status >= 400).toBe(true)
  })

  it('goes by the configuration in force where its own is not known, as in another process', async () => {
    const request = chain.app.request()
    const form = await browser.open(request.url)
    await generations.close()
    editUpstream({ claims: { renamed: 'sub' } })
    Object.assign(chain, { config: loadConfig({ file: chain.configFile, env: {} }).config })
    await startReloading()
    const visit = await browser.submit(form, { username: 'testuser', password: 'password' })
    const claims = claimsOf((await chain.app.finish(visit, request)).body.access_token)
    expect(claims['renamed']).toBe('testuser')
  })
})

describe('people who are signed in', () => {
  const userinfo = async (token: string) => (await chain.app.userinfo(token)).status
  const errorOf = async () =>
    (await browser.open(chain.app.request({ prompt: 'none' }).url)).url.searchParams.get('error')

  it('on_change: relogin, the default: tokens live on, the next request is a new sign-in', async () => {
    const { access_token } = await signIn()
    editUpstream({ claims: { renamed: 'sub' } })
    await reload('file')
    expect(await userinfo(access_token)).toBe(200)
    expect(await errorOf()).toBe('login_required')
  })

  it('A52 on_change: revoke: over at once, and for good', async () => {
    const { access_token } = await signIn()
    const settings = readFileSync(chain.configFile, 'utf8')
    editUpstream({ on_change: 'revoke', claims: { renamed: 'sub' } })
    await reload('file')
    expect(await userinfo(access_token)).toBe(401)
    expect(await errorOf()).toBe('login_required')
    await vi.waitFor(() => expect(chain.events('sessions.revoked')).toHaveLength(1))
    expect(chain.events('sessions.revoked')[0]).toMatchObject({ upstream: UPSTREAM, sessions: 1 })
    writeFileSync(chain.configFile, settings)
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    expect(await userinfo(access_token)).toBe(401)
  })

  it('A52 an app is taken out: its tokens, and the code of a login under way, are worth nothing; another app’s are', async () => {
    const { access_token } = await signIn()
    const second = chain.secondApp.request()
    const { body } = await chain.secondApp.finish(await browser.open(second.url), second)
    const issued = chain.app.request()
    const notRedeemed = await browser.open(issued.url)
    const other = chain.newBrowser()
    const underWay = chain.app.request()
    const form = await other.open(underWay.url)
    edit((settings) => void delete (settings['clients'] as Settings)['client'])
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    expect(await userinfo(access_token)).toBe(401)
    expect(await userinfo(body.access_token)).toBe(200)
    expect((await chain.app.finish(notRedeemed, issued)).body['error']).toBe('invalid_client')
    const late = await other.submit(form, { username: 'testuser', password: 'password' })
    expect((await chain.app.finish(late, underWay)).body['error']).toBe('invalid_client')
    expect((await browser.open(chain.app.request().url)).status).toBe(400)
  })

  it('A52 the secret of an app is replaced: the old one is refused at once', async () => {
    const request = chain.app.request()
    const visit = await chain.signIn(browser, request.url)
    edit((settings) => {
      const { client } = settings['clients'] as Record<string, Settings>
      Object.assign(client as Settings, { client_secret: 'another-secret' })
    })
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    expect((await chain.app.finish(visit, request)).body['error']).toBe('invalid_client')
  })

  it('revoked while the store is down they are nobody all the same, and ended later', async () => {
    const { access_token } = await signIn()
    breaker.break()
    editUpstream({ on_change: 'revoke', claims: { renamed: 'sub' } })
    await reload('file')
    await vi.waitFor(() => expect(chain.events('sessions.revoke_failed')).toHaveLength(1))
    breaker.mend()
    expect(await userinfo(access_token)).toBe(401)
    editUpstream({ display_name: 'Another' })
    await reload('file')
    await vi.waitFor(() => expect(chain.events('sessions.revoked')).toHaveLength(1))
  })
})

describe('two processes on one store', () => {
  /** Every request goes to the other one. */
  async function startTwin(): Promise<{ reload: Reload; close(): Promise<void> }> {
    const one = { generations, reload, watch }
    await startReloading()
    const two = { generations, reload, watch }
    let at = 0
    chain.serve((request, response) => {
      at += 1
      const process = at % 2 === 0 ? one : two
      process.generations.handler(request, response)
    })
    return {
      reload: one.reload,
      async close() {
        one.watch.close()
        await one.generations.close()
      },
    }
  }

  it('a login that began before both took the new file finishes as it began', async () => {
    const twin = await startTwin()
    const request = chain.app.request()
    const form = await browser.open(request.url)
    editUpstream({ claims: { renamed: 'sub' } })
    await Promise.all([reload('file'), twin.reload('file')])
    const visit = await browser.submit(form, { username: 'testuser', password: 'password' })
    const claims = claimsOf((await chain.app.finish(visit, request)).body.access_token)
    expect(claims).toMatchObject({ test_auth_server_sub: 'testuser' })
    expect(claims).not.toHaveProperty('renamed')
    await twin.close()
  })

  it.each([0, 1, 2, 3])(
    'a login while one of them has it and one not is finished (%i)',
    async (skip) => {
      const twin = await startTwin()
      editUpstream({ claims: { renamed: 'sub' }, display_name: `Name ${skip}` })
      await reload('file')
      for (let at = 0; at < skip; at += 1) await fetch(`${chain.issuer}/ping`)
      expect(claimsOf((await signIn()).access_token)['sub']).toBe('testuser')
      await twin.close()
    },
  )
})

describe('at the same time', () => {
  it('two reloads: both are answered, the last state of the file is in force', async () => {
    editUpstream({ display_name: 'First' })
    const first = reload('file')
    editUpstream({ display_name: 'Second' })
    const [one, two, three] = await Promise.all([first, reload('signal'), reload('command')])
    expect([one.outcome, two.outcome, three.outcome].sort()).toContain('taken')
    expect(generations.current.config.upstreams[UPSTREAM]?.display_name).toBe('Second')
    expect(await reload('file')).toEqual({ outcome: 'unchanged' })
  })

  it('twenty changes in a row: no request fails, and only a few configurations are kept', async () => {
    const closed: number[] = []
    for (let at = 0; at < 20; at += 1) {
      const { adapter } = generations.current
      const close = adapter.close.bind(adapter)
      adapter.close = () => {
        closed.push(at)
        return close()
      }
      editUpstream({ display_name: `Name ${at}` })
      await reload('file')
      expect((await fetch(`${chain.issuer}/ping`)).status).toBe(200)
    }
    expect(closed).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
    expect(claimsOf((await signIn()).access_token)['sub']).toBe('testuser')
  })

  it('a configuration before that does not close well disturbs nobody', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const failed = vi.fn()
    process.on('unhandledRejection', failed)
    generations.current.adapter.close = () => Promise.reject(new Error('stuck'))
    editUpstream({ display_name: 'Another' })
    await reload('file')
    vi.advanceTimersByTime(generations.current.config.login.ttl * 1000)
    vi.useRealTimers()
    expect(claimsOf((await signIn()).access_token)['sub']).toBe('testuser')
    process.off('unhandledRejection', failed)
    expect(failed).not.toHaveBeenCalled()
  })

  it('while the store is down: taken; people are served when it is back', async () => {
    breaker.break()
    editUpstream({ claims: { renamed: 'sub' } })
    expect(await reload('file')).toMatchObject({ outcome: 'taken' })
    breaker.mend()
    expect(claimsOf((await signIn()).access_token)['renamed']).toBe('testuser')
  })
})

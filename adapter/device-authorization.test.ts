// Device authorization (RFC 8628) through the whole chain: a device without a browser, and the person with one beside it.
import { describe, expect, it } from 'vitest'
import type { Driver } from './storage/driver.ts'
import { claimsOf } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { createDevice, DEVICE_GRANT, DEVICES } from './test-support/device.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

/** Whatever was ever stored. */
const written: string[] = []
const on = useChain({
  config: { clients: DEVICES },
  wrapDriver: (driver) => noting(driver, written),
})
const clock = useClock()

const television = () => createDevice(on.chain.issuer)
const heading = ({ body }: Visit) => /<h1>([\s\S]*?)<\/h1>/.exec(body)?.[1]?.trim()
const faultOn = ({ body }: Visit) => /class="fault"[^>]*>([^<]*)</.exec(body)?.[1]
const refreshOf = ({ headers }: Visit) => headers.get('refresh')?.replace('0;url=', '') ?? ''

/** The person reads the code off the device and types it in. */
async function typeCode(browser: Browser, userCode: string): Promise<Visit> {
  const page = await browser.open(new URL('/device', on.chain.url))
  return browser.submit(page, { user_code: userCode })
}

/** Presses the button, and signs in where that is asked for. */
async function confirm(browser: Browser, page: Visit): Promise<Visit> {
  const pressed = await browser.submit(page, { confirm: 'yes' })
  const location = refreshOf(pressed)
  return location ? on.chain.signIn(browser, new URL(location, on.chain.url)) : pressed
}

async function connected(browser = on.chain.newBrowser(), form = {}) {
  const { body: codes } = await television().start(form)
  const done = await confirm(browser, await typeCode(browser, codes.user_code))
  return { browser, codes, done }
}

describe('a device', () => {
  it('shows a code, waits, and is signed in as the person who typed it', async () => {
    const device = television()
    const { status, headers, body: codes } = await device.start()
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(codes).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${on.chain.issuer}/device`,
      verification_uri_complete: `${on.chain.issuer}/device?user_code=${codes.user_code}`,
      expires_in: 600,
      interval: 5,
    })
    expect((await device.poll(codes.device_code)).body).toMatchObject({
      error: 'authorization_pending',
    })
    const browser = on.chain.newBrowser()
    const question = await typeCode(browser, codes.user_code.toLowerCase().replace('-', ' '))
    expect(heading(question)).toBe('Sign in to The &lt;Television&gt; on a device?')
    expect(question.body).toContain(`<code>${codes.user_code}</code>`)
    const done = await confirm(browser, question)
    expect(heading(done)).toBe('Your device is signed in')
    const tokens = await device.poll(codes.device_code)
    expect(tokens.status).toBe(200)
    expect(claimsOf(tokens.body['access_token'] ?? '')).toMatchObject({
      sub: 'testuser',
      aud: 'television',
      client_id: 'television',
      scope: 'openid profile read',
      test_auth_server_sub: 'testuser',
    })
    expect(claimsOf(tokens.body['id_token'] ?? '')).toMatchObject({
      sub: 'testuser',
      name: 'testuser',
      aud: 'television',
    })
  })

  it('with the code in the address the person still has to press the button', async () => {
    const device = television()
    const { body: codes } = await device.start()
    const browser = on.chain.newBrowser()
    const page = await browser.open(codes.verification_uri_complete)
    expect(page.body).toContain(`value="${codes.user_code}"`)
    expect(page.body).not.toContain('<script')
    const question = await browser.submit(page, { user_code: codes.user_code })
    expect(question.body).toContain('name="confirm"')
    expect((await device.poll(codes.device_code)).body['error']).toBe('authorization_pending')
    expect(heading(await confirm(browser, question))).toBe('Your device is signed in')
  })

  it('a person who is signed in only confirms; the page says as whom', async () => {
    const { browser } = await connected()
    const { body: codes } = await television().start()
    const question = await typeCode(browser, codes.user_code)
    expect(question.body).toContain('You are signed in as testuser.')
    const done = await browser.submit(question, { confirm: 'yes' })
    expect(heading(done)).toBe('Your device is signed in')
    expect((await television().poll(codes.device_code)).status).toBe(200)
  })

  it('refused by the person: access_denied, and the code is used up', async () => {
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    const refused = await browser.submit(await typeCode(browser, codes.user_code), { abort: 'yes' })
    expect(heading(refused)).toBe('The device was not signed in')
    expect((await television().poll(codes.device_code)).body['error']).toBe('access_denied')
    expect(faultOn(await typeCode(browser, codes.user_code))).toContain('used already')
  })

  it('refused at the upstream: access_denied, and a page that says so', async () => {
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    const question = await typeCode(browser, codes.user_code)
    const start = refreshOf(await browser.submit(question, { confirm: 'yes' }))
    const login = await browser.open(new URL(start, on.chain.url))
    const denied = await browser.submit(login, { username: 'deny', password: 'password' })
    expect(heading(denied)).toBe('The device was not signed in')
    expect((await television().poll(codes.device_code)).body['error']).toBe('access_denied')
  })

  it('A08 another person signs in for it: the session of the first ends, the device is of the second', async () => {
    const { browser } = await connected()
    const { body: codes } = await television().start({ max_age: '0' })
    const pressed = await browser.submit(await typeCode(browser, codes.user_code), {
      confirm: 'yes',
    })
    const login = await browser.open(new URL(refreshOf(pressed), on.chain.url))
    const between = await browser.submit(login, { username: 'ada', password: 'password' })
    const done = await browser.submit(between)
    expect(heading(done)).toBe('Your device is signed in')
    const { body } = await television().poll(codes.device_code)
    expect(claimsOf(body['access_token'] ?? '')['sub']).toBe('user-0002')
  })

  it('polls too fast: slow_down, until the interval is over', async () => {
    const device = television()
    const { body: codes } = await device.start()
    const polls = [await device.poll(codes.device_code), await device.poll(codes.device_code)]
    expect(polls.map(({ status, body }) => [status, body['error']])).toEqual([
      [400, 'authorization_pending'],
      [400, 'slow_down'],
    ])
    clock.advance(5)
    expect((await device.poll(codes.device_code)).body['error']).toBe('authorization_pending')
  })

  it('expires: the device learns expired_token, the person that it is too late', async () => {
    const { body: codes } = await television().start()
    clock.advance(601)
    expect((await television().poll(codes.device_code)).body['error']).toBe('expired_token')
    expect(faultOn(await typeCode(on.chain.newBrowser(), codes.user_code))).toContain('too old')
  })

  it('its tokens end as all others do: refresh, introspection, logout', async () => {
    const { browser, codes } = await connected(undefined, {
      scope: 'openid profile offline_access',
    })
    const device = television()
    const { body: first } = await device.poll(codes.device_code)
    const refresh = (token: string | undefined) =>
      device.send('/oauth2/token', { grant_type: 'refresh_token', refresh_token: token ?? '' })
    const second = (await refresh(first['refresh_token'])).body as Record<string, string>
    expect(claimsOf(second['access_token'] ?? '')).toMatchObject({ sub: 'testuser' })
    await device.send('/oauth2/revoke', { token: second['refresh_token'] ?? '' })
    expect((await refresh(second['refresh_token'])).body).toMatchObject({ error: 'invalid_grant' })
    const other = await connected(browser)
    const { body: tokens } = await device.poll(other.codes.device_code)
    const userinfo = () => on.chain.app.userinfo(tokens['access_token'] ?? '')
    expect((await userinfo()).status).toBe(200)
    const logout = await browser.open(new URL('/connect/logout', on.chain.url))
    await browser.submit(logout, { logout: 'yes' })
    expect((await userinfo()).status).toBe(401)
  })
})

describe('A51 a device code', () => {
  it('is bound to its client', async () => {
    const { codes } = await connected()
    const printer = createDevice(on.chain.issuer, 'printer', 'printer-secret')
    expect((await printer.poll(codes.device_code)).body['error']).toBe('invalid_grant')
    expect((await television().poll(codes.device_code)).status).toBe(200)
  })

  it('is used once, whoever polls at the same time', async () => {
    const { codes } = await connected()
    const polls = await Promise.all(
      Array.from({ length: 20 }, () => television().poll(codes.device_code)),
    )
    // A second use ends what the first was given, which may be before it was.
    expect(polls.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
    expect((await television().poll(codes.device_code)).body['error']).toBe('invalid_grant')
  })

  it('two browsers that confirm it at the same time: one goes on', async () => {
    const { body: codes } = await television().start()
    const browsers = [on.chain.newBrowser(), on.chain.newBrowser()]
    const questions = await Promise.all(
      browsers.map((browser) => typeCode(browser, codes.user_code)),
    )
    const pressed = await Promise.all(
      browsers.map((browser, at) => browser.submit(questions[at] as Visit, { confirm: 'yes' })),
    )
    expect(pressed.filter((page) => refreshOf(page) !== '')).toHaveLength(1)
    expect(pressed.map(faultOn).join()).toContain('used already')
  })

  it('the answer of another browser signs nobody in', async () => {
    const { body: codes } = await television().start()
    const victim = on.chain.newBrowser()
    const question = await typeCode(victim, codes.user_code)
    const attacker = on.chain.newBrowser()
    await attacker.open(new URL('/device', on.chain.url))
    const forged = await attacker.submit(question, { confirm: 'yes' })
    expect([forged.status, faultOn(forged)]).toEqual([400, expect.stringContaining('another tab')])
    const start = refreshOf(await victim.submit(question, { confirm: 'yes' }))
    const foreign = await attacker.open(new URL(start, on.chain.url))
    expect(foreign.status).toBe(400)
    const login = await victim.open(new URL(start, on.chain.url))
    const held = await victim.submit(
      login,
      { username: 'testuser', password: 'password' },
      { stopBefore: ({ pathname }) => pathname.startsWith('/device/') },
    )
    expect((await attacker.open(held.url)).status).toBe(400)
    expect((await television().poll(codes.device_code)).body['error']).toBe('authorization_pending')
    expect(heading(await victim.open(held.url))).toBe('Your device is signed in')
  })

  it('can not be read from the store, nor the user code', async () => {
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    await browser.submit(await typeCode(browser, codes.user_code), { confirm: 'yes' })
    const stored = written.join('')
    expect(stored).toContain('"inFlight":true')
    for (const secret of [codes.device_code, codes.user_code, codes.user_code.replace('-', '')])
      expect(stored).not.toContain(secret)
    expect(on.chain.logLines.join('')).not.toContain(codes.user_code)
  })
})

describe('metadata', () => {
  it('C03 names the endpoint and the grant type where a client has it', async () => {
    const metadata = async (path: string) =>
      (await (await fetch(on.chain.url + path)).json()) as Record<string, unknown>
    for (const path of ['openid-configuration', 'oauth-authorization-server'])
      expect(await metadata(`/.well-known/${path}`)).toMatchObject({
        device_authorization_endpoint: `${on.chain.issuer}/oauth2/device_authorization`,
        grant_types_supported: expect.arrayContaining([DEVICE_GRANT]) as unknown,
      })
  })
})

describe('bad input', () => {
  it.each([
    ['no client', { client_id: '' }, 400, 'invalid_request'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['a client without the grant', { client_id: 'client' }, 401, 'invalid_client'],
    ['an unknown resource', { resource: 'urn:nowhere' }, 400, 'invalid_target'],
    ['64 kB', { scope: 'x'.repeat(65_536) }, 400, 'invalid_request'],
    ['A30 17 kB, which would be kept', { login_hint: 'x'.repeat(17_408) }, 413, 'invalid_request'],
  ])('device authorization with %s', async (_name, form, status, error) => {
    const answer = await television().start(form)
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })

  it('a client whose grant types do not have it: unauthorized_client', async () => {
    const answer = await createDevice(on.chain.issuer, 'client', 'secret').start()
    expect([answer.status, answer.body.error]).toEqual([400, 'unauthorized_client'])
  })

  it.each([
    ['', 'invalid_grant'],
    ['unknown', 'invalid_grant'],
    ['x'.repeat(40_000), 'invalid_grant'],
  ])('a device code that is none', async (code, error) => {
    const answer = await television().poll(code)
    expect([400, 413]).toContain(answer.status)
    expect([error, 'invalid_request']).toContain(answer.body['error'])
  })

  it.each([
    ['no code', '', 'Type the code'],
    ['an unknown code', 'BBBB-BBBB', 'no such code'],
    ['markup', '"><script>', 'no such code'],
    ['40 kB', 'B'.repeat(40_000), 'no such code'],
  ])('the page with %s asks again', async (_name, code, fault) => {
    const page = await typeCode(on.chain.newBrowser(), code)
    expect([page.status, faultOn(page)]).toEqual([200, expect.stringContaining(fault)])
    expect(page.body).not.toContain('<script>')
    expect(page.body.length).toBeLessThan(10_000)
  })

  it('64 kB in the form: refused', async () => {
    const page = await typeCode(on.chain.newBrowser(), 'B'.repeat(65_536))
    expect(page.status).toBe(400)
    expect(page.body.length).toBeLessThan(10_000)
  })

  it.each(['GET /oauth2/device_authorization', 'PUT /device', 'GET /device/', 'GET /Device'])(
    '%s: not found',
    async (request) => {
      const [method = '', path = ''] = request.split(' ')
      expect((await fetch(new URL(path, on.chain.url), { method })).status).toBe(404)
    },
  )
})

describe('a person in a hurry', () => {
  it('two tabs: the older one asks once more, with the code kept', async () => {
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    const older = await browser.open(new URL('/device', on.chain.url))
    await browser.open(new URL('/device', on.chain.url))
    const again = await browser.submit(older, { user_code: codes.user_code })
    expect(faultOn(again)).toContain('another tab')
    expect(again.body).toContain(`value="${codes.user_code}"`)
    const question = await browser.submit(again, { user_code: codes.user_code })
    expect(heading(await confirm(browser, question))).toBe('Your device is signed in')
  })

  it('F61 Back and the same form again, and a double press: said what happened, nothing lost', async () => {
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    const question = await typeCode(browser, codes.user_code)
    const first = await browser.submit(question, { confirm: 'yes' })
    const second = await browser.submit(question, { confirm: 'yes' })
    expect(faultOn(second)).toContain('another tab')
    const start = new URL(refreshOf(first), on.chain.url)
    const done = await on.chain.signIn(browser, start)
    expect(heading(done)).toBe('Your device is signed in')
    const back = await browser.open(done.url)
    expect([back.status, faultOn(back)]).toEqual([400, expect.stringContaining('over')])
    expect((await television().poll(codes.device_code)).status).toBe(200)
  })
})

describe('A51 wrong user codes', () => {
  it('20 in ten minutes from one network, then right ones are not looked at either', async () => {
    clock.advance(601)
    const { body: codes } = await television().start()
    const browser = on.chain.newBrowser()
    let page = await browser.open(new URL('/device', on.chain.url))
    const wrong = (at: number) => `BBBB-BBB${'BCDFGHJKLMNPQRSTVWXZ'[at]}`
    for (let at = 0; at < 20; at++) {
      page = await browser.submit(page, { user_code: wrong(at) })
      expect(faultOn(page)).toContain('no such code')
    }
    const refused = await browser.submit(page, { user_code: codes.user_code })
    expect([refused.status, faultOn(refused)]).toEqual([429, expect.stringContaining('Too many')])
    clock.advance(601)
    const { body: next } = await television().start()
    expect((await typeCode(browser, next.user_code)).body).toContain('name="confirm"')
  })

  it('right ones are not counted', async () => {
    clock.advance(3000)
    const browser = on.chain.newBrowser()
    for (let at = 0; at < 21; at++) {
      const { body: codes } = await television().start()
      expect((await typeCode(browser, codes.user_code)).body).toContain('name="confirm"')
    }
  })
})

function noting(driver: Driver, values: string[]): Driver {
  const note = (...parameters: unknown[]) => void values.push(JSON.stringify(parameters))
  return {
    ...driver,
    set: (...entry) => (note(entry), driver.set(...entry)),
    setAll: (entries) => (note(entries), driver.setAll(entries)),
    insert: (...entry) => (note(entry), driver.insert(...entry)),
    update: (...change) => (note(change), driver.update(...change)),
    consume: (key) => (note(key), driver.consume(key)),
    add: (...member) => (note(member), driver.add(...member)),
  }
}

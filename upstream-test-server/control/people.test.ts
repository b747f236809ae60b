import { describe, expect, it } from 'vitest'
import { createControlClient } from '../control-client.ts'
import {
  authorizationRequest,
  callback,
  claimsOf,
  codeOf,
  createTestBrowser,
  ownConnection,
  signIn,
  startForTest,
} from '../test-support/test-browser.ts'
import { refreshWith, tokensOf, useControl, userinfoOf } from '../test-support/use-control.ts'

const on = useControl()
const everything = 'openid profile email offline_access'

describe('people', () => {
  it('are who a test says, with their claims in ID token and userinfo', async () => {
    const claims = { groups: ['a', 'b'], tenant: { id: 7 }, preferred_username: null }
    const shown = await on.control.putPerson('müller', {
      sub: 'sub-7',
      name: 'M. Müller',
      email: 'm@example.test',
      emailVerified: true,
      roles: ['admin'],
      claims,
    })
    expect(shown).toMatchObject({ username: 'müller', sub: 'sub-7', claims })
    expect(JSON.stringify(shown)).not.toContain('password')
    const tokens = await tokensOf(on.server.issuer, 'müller', { scope: everything })
    const expected = {
      sub: 'sub-7',
      name: 'M. Müller',
      email: 'm@example.test',
      email_verified: true,
      roles: ['admin'],
      groups: ['a', 'b'],
      tenant: { id: 7 },
    }
    const userinfo = await userinfoOf(on.server.issuer, tokens.access_token)
    for (const found of [claimsOf(tokens.id_token), userinfo.body]) {
      expect(found).toMatchObject(expected)
      expect(found).not.toHaveProperty('preferred_username')
    }
    const narrow = await tokensOf(on.server.issuer, 'müller', { scope: 'openid' })
    expect(claimsOf(narrow.id_token)).not.toHaveProperty('tenant')
  })

  it('change: a role that is taken is gone at the next sign-in, the sub stays', async () => {
    const first = await on.control.putPerson('pat', { sub: 'p-1', roles: ['admin', 'user'] })
    expect(first.sub).toBe('p-1')
    await on.control.putPerson('pat', { roles: ['user'] })
    expect(claimsOf((await tokensOf(on.server.issuer, 'pat')).id_token)).toMatchObject({
      sub: 'p-1',
      roles: ['user'],
    })
  })

  it('have the password that is given, and no other', async () => {
    await on.control.putPerson('pat', { password: 'correct horse' })
    const open = () =>
      createTestBrowser(on.server.issuer).open(authorizationRequest(on.server.issuer).url)
    const browser = createTestBrowser(on.server.issuer)
    const form = await browser.open(authorizationRequest(on.server.issuer).url)
    const wrong = await browser.submit(form, { username: 'pat', password: 'password' })
    expect(wrong.body).toContain('is wrong')
    const right = await browser.submit(form, { username: 'pat', password: 'correct horse' })
    expect(codeOf(right)).not.toBe('')
    expect((await open()).status).toBe(200)
  })

  it('are listed, and gone when removed, with their sessions', async () => {
    await on.control.putPerson('leaver')
    const browser = createTestBrowser(on.server.issuer)
    await tokensOf(on.server.issuer, 'leaver', {}, browser)
    expect((await on.control.people()).map(({ username }) => username)).toContain('leaver')
    await on.control.removePerson('leaver')
    await expect(on.control.person('leaver')).rejects.toThrow('there is nobody')
    const again = await browser.open(authorizationRequest(on.server.issuer).url)
    expect(again.url.pathname).toBe('/login')
    const refused = await browser.submit(again, { username: 'leaver', password: 'password' })
    expect(refused.body).toContain('is wrong')
  })

  it('who are disabled lose session and tokens at once, can not sign in, and can when enabled', async () => {
    const browser = createTestBrowser(on.server.issuer)
    const tokens = await tokensOf(on.server.issuer, 'ada', { scope: everything }, browser)
    const others = await tokensOf(on.server.issuer, 'nora', { scope: everything })
    await on.control.disablePerson('ada')
    expect((await on.control.person('ada')).disabled).toBe(true)
    expect((await refreshWith(on.server.issuer, tokens.refresh_token)).body.error).toBe(
      'invalid_grant',
    )
    expect((await userinfoOf(on.server.issuer, tokens.access_token)).status).toBe(401)
    const page = await signIn(browser, authorizationRequest(on.server.issuer), 'ada')
    expect(page.body).toContain('This account is disabled')
    expect((await userinfoOf(on.server.issuer, others.access_token)).status).toBe(200)
    await on.control.enablePerson('ada')
    expect((await tokensOf(on.server.issuer, 'ada')).id_token).toBeDefined()
  })

  it('whose grants are revoked stay signed in, and their tokens stop', async () => {
    const browser = createTestBrowser(on.server.issuer)
    const tokens = await tokensOf(on.server.issuer, 'ada', { scope: everything }, browser)
    await on.control.revokeGrants('ada')
    expect((await refreshWith(on.server.issuer, tokens.refresh_token)).body.error).toBe(
      'invalid_grant',
    )
    expect((await userinfoOf(on.server.issuer, tokens.access_token)).status).toBe(401)
    const silent = authorizationRequest(on.server.issuer, { prompt: 'none' })
    expect(codeOf(await browser.open(silent.url))).not.toBe('')
  })

  it.each([
    ['sub', { sub: 'ü' }, 'sub: expected 1 to 255 printable ASCII'],
    ["somebody else's sub", { sub: 'testuser' }, 'sub: is that of "testuser"'],
    ['a claim of the protocol', { claims: { iss: 'x' } }, 'claims.iss'],
    ['a field with a typing error', { emial: 'a@b' }, 'emial: there is no such field'],
    ['roles', { roles: 'admin' }, 'roles: expected a list'],
    ['says', { says: { acr: 'gone' } }, 'acr: expected one of as_asked, weaker, absent'],
  ])('are refused with what is wrong: %s', async (_name, person, message) => {
    await expect(on.control.putPerson('pat', person as object)).rejects.toThrow(`400 ${message}`)
  })
})

describe('faults bound to a login name', () => {
  it('spoil the answers to that person only: token and userinfo', async () => {
    await on.control.failNext('token', { kind: 'status', status: 503 }, { username: 'ada' })
    await on.control.failNext(
      'userinfo',
      { kind: 'oauth_error', error: 'invalid_token' },
      { username: 'ada' },
    )
    const other = await tokensOf(on.server.issuer, 'nora')
    expect((await userinfoOf(on.server.issuer, other.access_token)).status).toBe(200)
    await expect(tokensOf(on.server.issuer, 'ada')).rejects.toThrow()
    const next = await tokensOf(on.server.issuer, 'ada')
    expect((await userinfoOf(on.server.issuer, next.access_token)).status).toBe(401)
    expect((await userinfoOf(on.server.issuer, next.access_token)).status).toBe(200)
  })

  it('are late and cut off like the others', async () => {
    const token = (await tokensOf(on.server.issuer, 'ada')).access_token
    await on.control.failNext('userinfo', { kind: 'delay', milliseconds: 120 }, { username: 'ada' })
    const begun = performance.now()
    expect((await userinfoOf(on.server.issuer, token)).body['sub']).toBe('user-0002')
    expect(performance.now() - begun).toBeGreaterThan(110)
    for (const kind of ['drop', 'truncated'] as const) {
      await on.control.failNext('userinfo', { kind }, { username: 'ada' })
      await expect(userinfoOf(on.server.issuer, token)).rejects.toThrow()
    }
    const [last] = (await on.control.requests({ endpoint: 'userinfo' })).slice(-1)
    expect(last).toMatchObject({ status: 200 })
  })

  it('are refused where nobody is known yet', async () => {
    const wanted = on.control.failNext('jwks', { kind: 'drop' }, { username: 'ada' })
    await expect(wanted).rejects.toThrow('username: known at token and userinfo only')
  })
})

const client = { clientId: 'test-client', clientSecret: 'test-secret', redirectUris: [callback] }

describe('several issuers', () => {
  it('are switched apart, by key', async () => {
    const other = await startForTest({ controlPort: 0, issuers: { second: { clients: [client] } } })
    const second = createControlClient(String(other.controlUrl), { issuer: 'second' })
    const root = createControlClient(String(other.controlUrl))
    await second.failNext('discovery', { kind: 'status', status: 503 })
    await second.putPerson('only-there')
    await second.setClock(100)
    const statusOf = async (path: string) =>
      (
        await fetch(`${other.issuer}${path}/.well-known/openid-configuration`, {
          headers: ownConnection,
        })
      ).status
    expect([await statusOf(''), await statusOf('/second'), await statusOf('/second')]).toEqual([
      200, 503, 200,
    ])
    await expect(root.person('only-there')).rejects.toThrow('there is nobody')
    expect((await second.requests({ endpoint: 'discovery' })).map(({ status }) => status)).toEqual([
      503, 200,
    ])
    expect((await root.setClock(0)).offsetSeconds).toBe(0)
    expect((await second.advance(1)).offsetSeconds).toBe(101)
    await root.reset()
    expect((await second.advance(0)).offsetSeconds).toBe(101)
    const offline = { scope: 'openid offline_access', acr_values: 'urn:test:second-factor' }
    const tokens = await tokensOf(`${other.issuer}/second`, 'ada', offline)
    expect(claimsOf(tokens.id_token)).toMatchObject({ acr: 'urn:test:second-factor' })
    expect((await refreshWith(`${other.issuer}/second`, tokens.refresh_token)).status).toBe(200)
    expect((await refreshWith(other.issuer, tokens.refresh_token)).status).toBe(400)
    const third = createControlClient(String(other.controlUrl), { issuer: 'third' })
    await expect(third.keys()).rejects.toThrow('there is no issuer "third"')
    await other.close()
  })
})

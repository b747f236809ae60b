// Two instances on one store: what ends at the first is over at the second with its very next use.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openSecrets, type Secrets } from './secrets.ts'
import { createAdapter, type Adapter } from './server.ts'
import type { Driver } from './storage/driver.ts'
import { openDriver } from './storage/open-driver.ts'
import { answerOf, post } from './provider/endpoints/test-support/token-calls.ts'
import { claimsOf, type AuthorizationRequest, type TokenAnswer } from './test-support/app.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'
const refresh = { rotation: 'always', grace: '0s' }
const on = useChain({
  storage: 'sqlite',
  config: {
    clients: {
      client: { scope: OFFLINE, refresh },
      'second-client': { scope: OFFLINE, refresh },
    },
  },
})

let driver: Driver
let secrets: Secrets
let second: Adapter
beforeAll(async () => {
  const { config, log, folder } = on.chain
  const now = () => Date.now()
  driver = await openDriver(config.storage, { now, log })
  const sealingKeyFile = `${folder}/sealing.key`
  secrets = await openSecrets({ config, driver, sealingKeyFile, log, now })
  second = await createAdapter({ config, driver, secrets, log, now, version: 'two' })
})
afterAll(async () => {
  await second.close()
  secrets.closeKeys()
  await driver.close()
})
afterEach(() => on.chain.serve(on.chain.adapter.app))
const atTheOther = () => on.chain.serve(second.app)

type Tokens = TokenAnswer['body'] & { refresh_token: string }

interface Signed {
  browser: Browser
  tokens: Tokens
  /** Of the other app, in the same session. */
  others: Tokens
  code: { visit: Visit; request: AuthorizationRequest }
  first: { visit: Visit; request: AuthorizationRequest }
}

async function signedIn(): Promise<Signed> {
  const { app, secondApp } = on.chain
  const browser = on.chain.newBrowser()
  const request = app.request({ scope: OFFLINE })
  const visit = await on.chain.signIn(browser, request.url)
  const tokens = (await app.finish(visit, request)).body as Tokens
  const atSecond = secondApp.request({ scope: OFFLINE })
  const others = (await secondApp.finish(await browser.open(atSecond.url), atSecond)).body as Tokens
  const later = app.request({ scope: OFFLINE })
  const code = { visit: await browser.open(later.url), request: later }
  return { browser, tokens, others, code, first: { visit, request } }
}

const SECOND = ['second-client', 'second-secret'] as const

/** Every use of these tokens, at the instance that serves now. */
async function usesOf({ access_token: token, refresh_token }: Tokens, credentials?: typeof SECOND) {
  const json = { 'content-type': 'application/json' }
  const audience = claimsOf(token)['aud']
  const init = { method: 'POST', headers: json, body: JSON.stringify({ token, audience }) }
  const verified = await answerOf(await fetch(`${on.chain.url}/verify`, init))
  const asked = await post(on.chain, '/oauth2/introspect', { token }, credentials)
  const lasting = await post(on.chain, '/oauth2/introspect', { token: refresh_token }, credentials)
  const { status } = await on.chain.app.userinfo(token)
  const form = { grant_type: 'refresh_token', refresh_token }
  const refreshed = await post(on.chain, '/oauth2/token', form, credentials)
  return {
    verify: verified.body['valid'],
    introspection: asked.body['active'],
    introspection_of_refresh_token: lasting.body['active'],
    userinfo: status,
    refresh: refreshed.body['error'] ?? refreshed.status,
  }
}

const OVER = {
  verify: false,
  introspection: false,
  introspection_of_refresh_token: false,
  userinfo: 401,
  refresh: 'invalid_grant',
}
const ALIVE = {
  verify: true,
  introspection: true,
  introspection_of_refresh_token: true,
  userinfo: 200,
  refresh: 200,
}

async function silently({ browser }: Signed): Promise<string> {
  const { url } = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
  return url.searchParams.get('error') ?? (url.searchParams.has('code') ? 'code' : 'nothing')
}

const codeOutcome = async ({ visit, request }: Signed['code']) => {
  const { status, body } = await on.chain.app.finish(visit, request)
  return body['error'] ?? status
}

async function api(path: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(body) }
  expect((await fetch(on.chain.adminUrl + path, init)).status).toBe(200)
}

describe('A52 at the other instance', () => {
  let signed: Signed
  beforeEach(async () => {
    signed = await signedIn()
  })

  it('nothing ended: everything is good there too', async () => {
    atTheOther()
    expect(await silently(signed)).toBe('code')
    expect(await usesOf(signed.tokens)).toEqual(ALIVE)
    expect(await usesOf(signed.others, SECOND)).toEqual(ALIVE)
    expect(await codeOutcome(signed.code)).toBe(200)
  })

  const ENDS_THE_SESSION: [name: string, end: (signed: Signed) => Promise<unknown>][] = [
    [
      'the person signs out',
      async ({ browser }) =>
        browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' }),
    ],
    [
      'an operator revokes the sessions of the person',
      () => api('/api/sessions/revoke', { user: 'testuser' }),
    ],
    [
      'an operator revokes the sessions of an app',
      () => api('/api/sessions/revoke', { client: 'second-client' }),
    ],
    [
      'the upstream signs the person out',
      () => {
        const to = `${on.chain.url}/logout/backchannel/${UPSTREAM}`
        return on.chain.upstreamControl.sendLogoutToken({ to, sub: 'testuser' })
      },
    ],
  ]
  it.each(ENDS_THE_SESSION)(
    '%s: session, tokens, refresh tokens and codes of every app are over',
    async (_, end) => {
      await end(signed)
      atTheOther()
      expect(await usesOf(signed.tokens)).toEqual(OVER)
      expect(await usesOf(signed.others, SECOND)).toEqual(OVER)
      expect(await codeOutcome(signed.code)).toBe('invalid_grant')
      expect(await silently(signed)).toBe('login_required')
    },
  )

  it('another person signs in over the session: the same', async () => {
    const request = on.chain.app.request({ prompt: 'login' })
    await signed.browser.submit(await on.chain.signIn(signed.browser, request.url, 'ada'))
    atTheOther()
    expect(await usesOf(signed.tokens)).toEqual(OVER)
    expect(await usesOf(signed.others, SECOND)).toEqual(OVER)
    expect(await codeOutcome(signed.code)).toBe('invalid_grant')
  })

  const ENDS_THE_GRANT: [name: string, end: (signed: Signed) => Promise<unknown>][] = [
    [
      'the app revokes its refresh token',
      ({ tokens }) => post(on.chain, '/oauth2/revoke', { token: tokens.refresh_token }),
    ],
    [
      'its code is used again',
      ({ first: { visit, request } }) => on.chain.app.finish(visit, request),
    ],
    [
      'its refresh token is used again',
      async ({ tokens: { refresh_token } }) => {
        const form = { grant_type: 'refresh_token', refresh_token }
        await post(on.chain, '/oauth2/token', form)
        expect((await post(on.chain, '/oauth2/token', form)).body['error']).toBe('invalid_grant')
      },
    ],
  ]
  it.each(ENDS_THE_GRANT)(
    '%s: what that app had is over; the session and the other app go on',
    async (_, end) => {
      await end(signed)
      atTheOther()
      expect(await usesOf(signed.tokens)).toEqual(OVER)
      expect(await usesOf(signed.others, SECOND)).toEqual(ALIVE)
      expect(await silently(signed)).toBe('code')
    },
  )

  it('the app revokes an access token: that token alone', async () => {
    await post(on.chain, '/oauth2/revoke', { token: signed.tokens.access_token })
    atTheOther()
    expect(await usesOf(signed.tokens)).toEqual({
      ...OVER,
      introspection_of_refresh_token: true,
      refresh: 200,
    })
  })
})

it('A38 a logout token that was used at one instance is refused at the other', async () => {
  const order = { to: `${on.chain.url}/logout/backchannel/${UPSTREAM}`, sub: 'testuser' }
  expect((await on.chain.upstreamControl.sendLogoutToken(order)).status).toBe(200)
  const signed = await signedIn()
  atTheOther()
  const again = { ...order, fault: 'replayed_jti' } as const
  expect((await on.chain.upstreamControl.sendLogoutToken(again)).status).toBe(400)
  expect(await silently(signed)).toBe('code')
})

it('A52 a service that verifies tokens on its own accepts one for five minutes at most', async () => {
  const { tokens } = await signedIn()
  for (const token of [tokens.access_token, tokens.id_token]) {
    const { iat, exp } = claimsOf(token)
    expect(Number(exp) - Number(iat)).toBe(300)
  }
})

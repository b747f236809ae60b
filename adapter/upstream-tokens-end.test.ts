// What we hold of a person's upstream ends with what it was held for, through the whole chain and with a real store.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf, type TokenAnswer } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain } from './test-support/use-chain.ts'
import { identityKey, userSessionsIndex } from './storage/sessions/live-sessions.ts'
import type { Identity } from './storage/sessions/identities.ts'
import { upstreamTokensKey } from './storage/tokens/release-upstream-tokens.ts'

const OFFLINE = 'openid profile read offline_access'
let receiver: LogoutReceiver
const on = useChain(async () => {
  receiver = await startLogoutReceiver()
  const back = {
    backchannel_logout_uri: receiver.uri,
    backchannel_logout_session_required: false,
  }
  return {
    storage: 'sqlite' as const,
    config: {
      upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access' } },
      clients: { client: { scope: OFFLINE, refresh: { coupling: 'strict' }, ...back } },
    },
  }
})
afterAll(() => receiver.close())

let people = 0
let person = ''
beforeEach(async () => {
  person = `person-${(people += 1)}`
  await on.chain.upstreamControl.putPerson(person, { roles: ['user'] })
})

type Tokens = TokenAnswer['body'] & { refresh_token: string }

async function signIn(browser: Browser = on.chain.newBrowser(), scope = OFFLINE) {
  const request = on.chain.app.request({ scope })
  const { body } = await on.chain.app.finish(
    await on.chain.signIn(browser, request.url, person),
    request,
  )
  return { browser, tokens: body as Tokens, ...(await storedOf(person)) }
}

/** The session of a person, and the key of what is kept of the upstream for it. */
async function storedOf(accountId: string): Promise<{ member: string; key: string }> {
  for (const member of await on.chain.driver.members(userSessionsIndex(accountId))) {
    const identity = (await on.chain.driver.get(identityKey(member)))?.value as Identity | undefined
    if (identity?.upstreamTokens !== undefined)
      return { member, key: upstreamTokensKey(identity.upstreamTokens) }
  }
  throw new Error('Expected a session that follows its upstream')
}

/** As its time does: nobody has ended it. */
async function expire(member: string): Promise<void> {
  await on.chain.driver.delete(`Session:${member}`)
  await on.chain.driver.delete(identityKey(member))
}

const isKept = async (key: string) => (await on.chain.driver.get(key)) !== undefined

async function refresh(refresh_token: string): Promise<string> {
  const form = { grant_type: 'refresh_token', code: undefined, refresh_token }
  const { status, body } = await on.chain.app.redeem('', { redirectUri: undefined, form })
  return status === 200 ? '200' : `${status} ${String(body['error'])}`
}

const logoutToken = (order: object) =>
  on.chain.upstreamControl.sendLogoutToken({
    to: `${on.chain.url}/logout/backchannel/${UPSTREAM}`,
    sub: person,
    ...order,
  })

const revoke = () =>
  fetch(`${on.chain.adminUrl}/api/sessions/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user: person }),
  })

describe('at the end of a session', () => {
  it('A52 the person signs out: the sealed record of the upstream is gone', async () => {
    const { browser, tokens, key } = await signIn()
    expect(await isKept(key)).toBe(true)
    const url = `${on.chain.url}/connect/logout?id_token_hint=${tokens.id_token}`
    await browser.submit(await browser.open(url), { logout: 'yes' })
    expect([await isKept(key), await refresh(tokens.refresh_token)]).toEqual([
      false,
      '400 invalid_grant',
    ])
  })

  it('A52 the upstream ends it: likewise', async () => {
    const { key } = await signIn()
    expect((await logoutToken({})).status).toBe(200)
    expect(await isKept(key)).toBe(false)
  })

  it('A52 an operator ends it: likewise', async () => {
    const { key } = await signIn()
    const { status } = await revoke()
    expect([status, await isKept(key)]).toEqual([200, false])
  })
})

describe('a grant that outlived its session', () => {
  it('holds it, until it is revoked', async () => {
    const { tokens, key, member } = await signIn()
    await expire(member)
    expect([await isKept(key), await refresh(tokens.refresh_token)]).toEqual([true, '200'])
    await fetch(`${on.chain.url}/oauth2/revoke`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa('client:secret')}` },
      body: new URLSearchParams({ token: tokens.refresh_token }),
    })
    expect([await isKept(key), await refresh(tokens.refresh_token)]).toEqual([
      false,
      '400 invalid_grant',
    ])
  })

  it('A52 ends with a logout token of the upstream that names the person, and so does the record', async () => {
    const { tokens, key, member } = await signIn()
    await expire(member)
    expect(await refresh(tokens.refresh_token)).toBe('200')
    expect((await logoutToken({})).status).toBe(200)
    expect([await isKept(key), await refresh(tokens.refresh_token)]).toEqual([
      false,
      '400 invalid_grant',
    ])
    expect(on.chain.events('grants.ended')).toContainEqual(
      expect.objectContaining({ upstream: UPSTREAM, cause: 'upstream', grants: 1 }),
    )
  })

  it.each([
    ['the upstream', () => logoutToken({})],
    ['an operator', revoke],
  ])('ended by %s: the app is told by `sub`, where it takes that', async (_who, end) => {
    const { member, tokens } = await signIn()
    await expire(member)
    const before = receiver.tokens.length
    expect((await end()).status).toBe(200)
    await receiver.received(before + 1)
    const told = claimsOf(receiver.tokens[before] ?? '')
    expect([told['sub'], told['sid']]).toEqual([claimsOf(tokens.id_token)['sub'], undefined])
  })

  it('stays when the token names a session, or another person', async () => {
    const { tokens, member } = await signIn()
    await expire(member)
    await logoutToken({ sid: 'some-session' })
    await logoutToken({ sub: 'somebody-else' })
    expect(await refresh(tokens.refresh_token)).toBe('200')
  })
})

// What is ended while a refresh is under way stays ended, through the whole chain.
import { expect, it } from 'vitest'
import { identityKey, userSessionsIndex } from './storage/sessions/live-sessions.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { useChain } from './test-support/use-chain.ts'
import type { Driver } from './storage/driver.ts'

const OFFLINE = 'openid profile read offline_access'

/** Runs once, right before the next write of the identity of a grant. */
let beforeWrite: (() => Promise<void>) | undefined

const on = useChain({
  wrapDriver: interrupted,
  config: {
    upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access' } },
    clients: { client: { scope: OFFLINE, refresh: { coupling: 'strict', rotation: 'always' } } },
  },
})

function interrupted(driver: Driver): Driver {
  return new Proxy(driver, {
    get(target, name) {
      const method = Reflect.get(target, name) as unknown
      if (typeof method !== 'function' || !['set', 'setAll', 'update'].includes(String(name)))
        return method
      return async (...parameters: unknown[]) => {
        const [work, isMeant] = [beforeWrite, JSON.stringify(parameters).includes('GrantIdentity:')]
        if (work && isMeant) {
          beforeWrite = undefined
          await work()
        }
        return (method as (...all: unknown[]) => unknown).apply(target, parameters)
      }
    },
  })
}

async function revoke(user: string): Promise<void> {
  const response = await fetch(`${on.chain.adminUrl}/api/sessions/revoke`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ user }),
  })
  expect(response.status).toBe(200)
}

it('A52 `sessions revoke` in the middle of a refresh: nothing of the person works afterwards', async () => {
  const request = on.chain.app.request({ scope: OFFLINE })
  const visit = await on.chain.signIn(on.chain.newBrowser(), request.url, 'testuser')
  const { body } = await on.chain.app.finish(visit, request)
  const refresh = (refresh_token: unknown) =>
    on.chain.app.redeem('', {
      redirectUri: undefined,
      form: { grant_type: 'refresh_token', code: undefined, refresh_token: String(refresh_token) },
    })
  // The session is over, as its time does it: only the refresh tokens are left.
  for (const member of await on.chain.driver.members(userSessionsIndex('testuser')))
    await Promise.all([`Session:${member}`, identityKey(member)].map(on.chain.driver.delete))
  let revoked = 0
  beforeWrite = async () => {
    await revoke('testuser')
    revoked += 1
  }
  const meanwhile = await refresh(body['refresh_token'])
  expect(revoked).toBe(1)
  for (const token of [body['access_token'], meanwhile.body['access_token']])
    if (token !== undefined) expect((await on.chain.app.userinfo(token)).status).toBe(401)
  for (const token of [body['refresh_token'], meanwhile.body['refresh_token']])
    if (token !== undefined) expect((await refresh(token)).status).toBe(400)
})

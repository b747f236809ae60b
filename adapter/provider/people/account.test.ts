import type { KoaContextWithOIDC } from 'oidc-provider'
import { describe, expect, it } from 'vitest'
import { createIdentities, type Identity } from '../../storage/sessions/identities.ts'
import { createMemoryDriver } from '../../storage/drivers/memory.ts'
import { createUnitOfWork } from '../../storage/unit-of-work.ts'
import { account, accessTokenClaims, createFindAccount } from './account.ts'

const ada: Identity = {
  accountId: 'up:ada',
  upstream: 'up',
  upstreamIssuer: 'https://up.test',
  claims: { sub: 'forged', name: 'Ada', email: 'ada@up.test', role: 'admin' },
}
const identities = createIdentities(createUnitOfWork(createMemoryDriver({})).driver)
await identities.save('session-1', ada, 60)
const findAccount = createFindAccount(identities)
const ctx = (oidc: object) => ({ oidc }) as unknown as KoaContextWithOIDC
const find = (oidc: object, accountId: string, token?: object) =>
  findAccount(ctx(oidc), accountId, token as never)

describe('who an account is', () => {
  it('the identity of the session that asks', async () => {
    expect(await find({ session: { uid: 'session-1' } }, 'up:ada')).toMatchObject({
      accountId: 'up:ada',
    })
  })

  it('the identity of the session that a code or token belongs to, not of the one that asks', async () => {
    expect(
      await find({ session: { uid: 'other' } }, 'up:ada', { sessionUid: 'session-1' }),
    ).toMatchObject({ accountId: 'up:ada' })
    expect(
      await find({ session: { uid: 'session-1' } }, 'up:ada', { sessionUid: 'other' }),
    ).toBeUndefined()
    expect(await find({ session: { uid: 'session-1' } }, 'up:ada', {})).toBeUndefined()
  })

  it('the identity of the login just finished comes before what is stored', async () => {
    const bob = { ...ada, accountId: 'up:bob' }
    const oidc = { session: { uid: 'session-1' }, result: { upstream: { identity: bob } } }
    expect(await find(oidc, 'up:bob')).toMatchObject({ accountId: 'up:bob' })
    expect(await find(oidc, 'up:ada')).toBeUndefined()
  })

  it('A08 never somebody else: an identity of another account is nobody', async () => {
    expect(await find({ session: { uid: 'session-1' } }, 'up:bob')).toBeUndefined()
    expect(
      await find({ session: { uid: 'session-1' } }, 'up:bob', { sessionUid: 'session-1' }),
    ).toBeUndefined()
  })

  it('nobody where nothing is kept', async () => {
    expect(await find({ session: { uid: 'gone' } }, 'up:ada')).toBeUndefined()
    expect(await find({}, 'up:ada')).toBeUndefined()
  })
})

describe('its claims', () => {
  it('sub is the account, whatever was mapped', async () => {
    expect(await account(ada).claims('id_token', 'openid', {}, [])).toEqual({
      ...ada.claims,
      sub: 'up:ada',
    })
  })

  it('an access token gets those that its scope releases', () => {
    expect(accessTokenClaims(account(ada), 'openid')).toMatchObject({ role: 'admin' })
    expect(accessTokenClaims(account(ada), 'openid')).not.toHaveProperty('email')
    expect(accessTokenClaims(account(ada), 'openid email')).toHaveProperty('email', 'ada@up.test')
    for (const scope of ['email', '', undefined])
      expect(accessTokenClaims(account(ada), scope)).toEqual({})
    expect(accessTokenClaims(undefined, 'openid')).toEqual({})
  })
})

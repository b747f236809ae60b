import { describe, expect, it } from 'vitest'
import { openDatabase } from '../database.ts'
import { createProviderStorage } from './provider-adapter.ts'
import {
  authorizationRequest,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
  startForTest,
} from '../test-support/test-browser.ts'

function createStorage() {
  const clock = { milliseconds: 1_000_000 }
  const database = openDatabase(':memory:')
  const storage = createProviderStorage(database, () => clock.milliseconds)
  const count = () => database.prepare('SELECT count(*) AS n FROM artefacts').get()?.n
  return { clock, storage, codes: storage.adapterFor('AuthorizationCode'), count }
}

describe(createProviderStorage, () => {
  it('returns nothing past its lifetime, to the second', async () => {
    const { clock, codes } = createStorage()
    await codes.upsert('a', { accountId: 'x', uid: 'u' }, 60)
    clock.milliseconds += 59_999
    expect(await codes.find('a')).toMatchObject({ accountId: 'x' })
    expect(await codes.findByUid('u')).toMatchObject({ accountId: 'x' })
    clock.milliseconds += 1
    expect(await codes.find('a')).toBeUndefined()
    expect(await codes.findByUid('u')).toBeUndefined()
  })

  it('lets one caller consume, once, and never what has expired or is not there', async () => {
    const { clock, codes } = createStorage()
    await codes.upsert('a', {}, 60)
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => codes.consume('a')))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(await codes.find('a')).toMatchObject({ consumed: 1000 })
    await expect(codes.consume('b')).rejects.toThrow('invalid_grant')
    await codes.upsert('c', {}, 60)
    clock.milliseconds += 60_000
    await expect(codes.consume('c')).rejects.toThrow('invalid_grant')
  })

  it('keeps a consumed code consumed when it is written again', async () => {
    const { codes } = createStorage()
    await codes.upsert('a', {}, 60)
    await codes.consume('a')
    await codes.upsert('a', {}, 60)
    await expect(codes.consume('a')).rejects.toThrow('invalid_grant')
  })

  it('revokes what one model holds of a grant', async () => {
    const { codes, storage } = createStorage()
    const tokens = storage.adapterFor('AccessToken')
    await codes.upsert('a', { grantId: 'g' }, 60)
    await tokens.upsert('t', { grantId: 'g' }, 60)
    await tokens.upsert('other', { grantId: 'h' }, 60)
    await tokens.revokeByGrantId('g')
    expect(await tokens.find('t')).toBeUndefined()
    expect(await tokens.find('other')).toBeDefined()
    expect(await codes.find('a')).toBeDefined()
  })

  it('keeps models apart, destroys, and collects what has expired', async () => {
    const { clock, codes, storage, count } = createStorage()
    await codes.upsert('a', {}, 60)
    await codes.upsert('b', {}, 600)
    expect(await storage.adapterFor('Session').find('a')).toBeUndefined()
    await codes.destroy('b')
    expect(count()).toBe(1)
    clock.milliseconds += 60_000
    storage.collect()
    expect(count()).toBe(0)
  })
})

describe('the token endpoint on it', () => {
  it('A20 code redemption: of 20 at once exactly one succeeds, however slow the storage', async () => {
    const server = await startForTest({ storageLatencyMilliseconds: 3 })
    for (let round = 0; round < 10; round++) {
      const request = authorizationRequest(server.issuer)
      const code = codeOf(await signIn(createTestBrowser(server.issuer), request))
      const results = await Promise.all(
        Array.from({ length: 20 }, () => redeem(server.issuer, code, request.verifier)),
      )
      expect(results.filter(({ status }) => status === 200)).toHaveLength(1)
      const refused = results.filter(({ status }) => status !== 200)
      expect(new Set(refused.map(({ body }) => body.error))).toEqual(new Set(['invalid_grant']))
    }
    await server.close()
  })
})

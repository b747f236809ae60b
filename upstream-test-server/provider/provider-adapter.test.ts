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

function createStorage(model = 'AuthorizationCode') {
  const clock = { milliseconds: 1_000_000 }
  const database = openDatabase(':memory:')
  const storage = createProviderStorage(database, () => clock.milliseconds)
  const rows = database.prepare(
    'SELECT (SELECT count(*) FROM artefacts) + (SELECT count(*) FROM codes) AS n',
  )
  return { clock, database, storage, codes: storage.adapterFor(model), count: () => rows.get()?.n }
}

describe(createProviderStorage, () => {
  it('keeps codes in their own table: whose, for whom, since when, and the code itself as a hash', async () => {
    const { clock, database, codes } = createStorage()
    const add = `INSERT INTO users (sub, username, password_hash, name) VALUES ('s', 'ada', 'h', 'n')`
    database.exec(add)
    const code = 'a-code-that-nobody-may-read'
    const about = { jti: code, accountId: 's', clientId: 'app', scope: 'openid' }
    await codes.upsert(code, about, 60)
    expect(await codes.find(code)).toMatchObject(about)
    const row = database.prepare('SELECT * FROM codes').get()
    const [username, client_id, scope] = ['ada', 'app', 'openid']
    expect(row).toMatchObject({ username, client_id, scope, issued_at: clock.milliseconds })
    expect(JSON.stringify(row)).not.toContain(code)
  })

  it.each(['AccessToken', 'AuthorizationCode'])('returns no %s past its life', async (model) => {
    const { clock, codes: stored } = createStorage(model)
    await stored.upsert('a', { accountId: 'x' }, 60)
    clock.milliseconds += 59_999
    expect(await stored.find('a')).toMatchObject({ accountId: 'x' })
    clock.milliseconds += 1
    expect(await stored.find('a')).toBeUndefined()
  })

  it('returns nothing by its uid past its lifetime, to the second', async () => {
    const { clock, codes: sessions } = createStorage('Session')
    await sessions.upsert('a', { accountId: 'x', uid: 'u' }, 60)
    clock.milliseconds += 59_999
    expect(await sessions.findByUid('u')).toMatchObject({ accountId: 'x' })
    clock.milliseconds += 1
    expect(await sessions.findByUid('u')).toBeUndefined()
  })

  it.each(['RefreshToken', 'AuthorizationCode'])(
    'lets one caller consume a %s, once, and never what has expired or is not there',
    async (model) => {
      const { clock, codes } = createStorage(model)
      await codes.upsert('a', {}, 60)
      const results = await Promise.allSettled(Array.from({ length: 50 }, () => codes.consume('a')))
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await codes.find('a')).toMatchObject({ consumed: 1000 })
      await expect(codes.consume('b')).rejects.toThrow('invalid_grant')
      await codes.upsert('c', {}, 60)
      clock.milliseconds += 60_000
      await expect(codes.consume('c')).rejects.toThrow('invalid_grant')
    },
  )

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
    await codes.upsert('b', { grantId: 'h' }, 60)
    await tokens.upsert('other', { grantId: 'h' }, 60)
    await tokens.revokeByGrantId('g')
    expect(await tokens.find('t')).toBeUndefined()
    expect(await tokens.find('other')).toBeDefined()
    expect(await codes.find('a')).toBeDefined()
    await codes.revokeByGrantId('g')
    expect(await codes.find('a')).toBeUndefined()
    expect(await codes.find('b')).toBeDefined()
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

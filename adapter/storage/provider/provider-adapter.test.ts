import { describe, expect, it } from 'vitest'
import {
  createRequestContext,
  currentContext,
  runInContext,
} from '../../../service/request-context.ts'
import { StorageError } from '../../errors.ts'
import { artefactKey, grantIndex } from './artefact-key.ts'
import type { Driver } from '../driver.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createProviderAdapter } from './provider-adapter.ts'
import { revokeGrant } from '../tokens/revoke-grant.ts'
import { createUnitOfWork } from '../unit-of-work.ts'

const TTL = 100
const alreadyConsumed = (error: unknown) =>
  error instanceof StorageError && error.code === 'already_consumed'

/** Everything that was ever written, as text. */
function spied(driver: Driver): { driver: Driver; written: string[] } {
  const written: string[] = []
  const note = (...values: unknown[]) => void written.push(JSON.stringify(values))
  return {
    written,
    driver: {
      ...driver,
      set: (...values) => (note(values), driver.set(...values)),
      setAll: (entries) => (note(entries), driver.setAll(entries)),
      insert: (...values) => (note(values), driver.insert(...values)),
      update: (...values) => (note(values), driver.update(...values)),
      add: (...values) => (note(values), driver.add(...values)),
    },
  }
}

function setup() {
  const memory = createMemoryDriver()
  const { driver: store, written } = spied(memory)
  const { driver, run } = createUnitOfWork(store)
  const adapter = createProviderAdapter({ driver })
  /** As one request: with a context and a unit of work. */
  const request = <T>(work: () => Promise<T>, fields = {}) =>
    runInContext(createRequestContext(fields), () => run(work))
  return { memory, written, driver, adapter, request }
}

describe(createProviderAdapter, () => {
  it('finds what it stored, under its id', async () => {
    const { adapter } = setup()
    const payload = { jti: 'the-code', kind: 'AuthorizationCode', accountId: 'a', exp: 1, iat: 2 }
    await adapter('AuthorizationCode').upsert('the-code', payload, TTL)
    expect(await adapter('AuthorizationCode').find('the-code')).toEqual(payload)
    expect(await adapter('RefreshToken').find('the-code')).toBeUndefined()
    await adapter('AuthorizationCode').destroy('the-code')
    expect(await adapter('AuthorizationCode').find('the-code')).toBeUndefined()
  })
  it.each([
    'AuthorizationCode',
    'RefreshToken',
    'AccessToken',
    'Interaction',
    'Session',
    'Grant',
    'ReplayDetection',
    'PushedAuthorizationRequest',
  ])('never stores the id of a %s', async (model) => {
    const { adapter, written, request } = setup()
    const id = 'SECRET-VALUE-0123456789'
    const payload = {
      jti: id,
      uid: 'uid',
      grantId: 'g',
      kind: model,
      ...(model === 'Interaction' && { session: { uid: 'u', cookie: `${id}-cookie` } }),
    }
    await request(() => adapter(model).upsert(id, payload, TTL))
    expect(written.length).toBeGreaterThan(0)
    expect(written.join()).not.toContain('SECRET-VALUE')
  })
  it('consumes once, and shows it in what it finds', async () => {
    const { adapter } = setup()
    const codes = adapter('AuthorizationCode')
    await codes.upsert('c', { jti: 'c' }, TTL)
    expect(await codes.find('c')).not.toHaveProperty('consumed')
    await codes.consume('c')
    expect((await codes.find('c'))?.consumed).toBeCloseTo(Date.now() / 1000, -1)
    await expect(codes.consume('c')).rejects.toSatisfy(alreadyConsumed)
    await expect(codes.consume('never there')).rejects.toSatisfy(alreadyConsumed)
  })
  it('A22 a jti is saved once; one that differs in case or space is another', async () => {
    const { adapter } = setup()
    const seen = adapter('ReplayDetection')
    await seen.upsert('jti', { jti: 'jti', iss: 'c' }, TTL)
    await expect(seen.upsert('jti', { jti: 'jti', iss: 'c' }, TTL)).rejects.toSatisfy(
      alreadyConsumed,
    )
    await seen.upsert('JTI', { jti: 'JTI' }, TTL)
    await seen.upsert('jti ', { jti: 'jti ' }, TTL)
  })
  it('a save whose time is over removes', async () => {
    const { adapter } = setup()
    await adapter('Interaction').upsert('i', { jti: 'i' }, TTL)
    await adapter('Interaction').upsert('i', { jti: 'i' }, 0)
    expect(await adapter('Interaction').find('i')).toBeUndefined()
  })
  it('notes the flow of an artefact in the request that finds it, unless the request has one', async () => {
    const { adapter, request } = setup()
    const codes = adapter('AuthorizationCode')
    await request(() => codes.upsert('c', { jti: 'c' }, TTL), { flow_id: 'flow-1' })
    const flowAfterFind = (fields: Record<string, string>) =>
      request(async () => {
        expect(await codes.find('c')).toEqual({ jti: 'c' })
        return currentContext()?.fields['flow_id']
      }, fields)
    expect(await flowAfterFind({})).toBe('flow-1')
    expect(await flowAfterFind({ flow_id: 'flow-2' })).toBe('flow-2')
  })
  it('refuses what can not be asked', async () => {
    const { adapter } = setup()
    await expect(adapter('DeviceCode').findByUserCode('x')).rejects.toThrow(/only device codes/)
    await expect(adapter('Grant').findByUid('x')).rejects.toThrow(/only sessions/)
  })
})

describe('a grant', () => {
  async function withGrant() {
    const world = setup()
    const { adapter } = world
    await adapter('Grant').upsert('g', { jti: 'g' }, TTL)
    for (const model of ['AuthorizationCode', 'RefreshToken', 'AccessToken'])
      await adapter(model).upsert(model, { jti: model, grantId: 'g' }, TTL)
    await adapter('RefreshToken').upsert('of another', { jti: 'of another', grantId: 'h' }, TTL)
    const alive = async () => {
      const found = await Promise.all(
        ['AuthorizationCode', 'RefreshToken', 'AccessToken'].map((model) =>
          adapter(model).find(model),
        ),
      )
      return [...found, await adapter('Grant').find('g')].filter(Boolean).length
    }
    return { ...world, alive }
  }

  it('A21 is revoked with every artefact that hangs on it, and no other', async () => {
    const { adapter, alive, driver } = await withGrant()
    expect(await alive()).toBe(4)
    await Promise.all(
      ['AccessToken', 'RefreshToken', 'AuthorizationCode'].map((model) =>
        adapter(model).revokeByGrantId('g'),
      ),
    )
    expect(await alive()).toBe(0)
    expect(await driver.members(grantIndex('g'))).toEqual([])
    expect(await adapter('RefreshToken').find('of another')).toBeDefined()
  })
  it('is revoked at once, although the request fails afterwards', async () => {
    const { adapter, alive, request } = await withGrant()
    const failing = request(async () => {
      await adapter('RefreshToken').revokeByGrantId('g')
      throw new Error('invalid_grant')
    })
    await expect(failing).rejects.toThrow('invalid_grant')
    expect(await alive()).toBe(0)
  })
  it('is revoked with an artefact that waits to be stored in the same request', async () => {
    const { adapter, alive, request } = await withGrant()
    await request(async () => {
      await adapter('RefreshToken').upsert('new', { jti: 'new', grantId: 'g' }, TTL)
      await adapter('RefreshToken').revokeByGrantId('g')
    })
    expect(await adapter('RefreshToken').find('new')).toBeUndefined()
    expect(await alive()).toBe(0)
  })
  it('A21 a store that fails while revoking rejects', async () => {
    const { memory } = await withGrant()
    await memory.close()
    await expect(revokeGrant(memory, 'g')).rejects.toBeInstanceOf(StorageError)
  })
  it('artefactKey names the record of an artefact', async () => {
    const { memory } = await withGrant()
    expect(await memory.get(artefactKey('Grant', 'g'))).toBeDefined()
  })
})

import { describe, expect, it, vi } from 'vitest'
import { createRequestContext, runInContext } from '../../../service/request-context.ts'
import { countRoundTrips } from '../count-round-trips.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { injectLatency } from '../testing/inject-latency.ts'
import { mergeSession, saysAsMuch } from './merge-session.ts'
import { createProviderAdapter } from './provider-adapter.ts'
import { createUnitOfWork } from '../unit-of-work.ts'

const TTL = 100

function setup({ unitOfWork = true } = {}) {
  const { driver, run } = createUnitOfWork(countRoundTrips(injectLatency(createMemoryDriver(), 1)))
  const sessions = createProviderAdapter({ driver })('Session')
  const context = createRequestContext
  const request = <T>(work: () => Promise<T>, within = context()) =>
    runInContext(within, () => (unitOfWork ? run(work) : work()))
  /** As oidc-provider does in resume: read by cookie value, change, give the old value up, save under a new one. */
  async function changeIn(
    oldId: string,
    newId: string,
    change: (payload: Record<string, unknown>) => void,
  ): Promise<void> {
    await request(async () => {
      const payload = await sessions.find(oldId)
      if (!payload) throw new Error('no session')
      change(payload)
      await sessions.destroy(oldId)
      await sessions.upsert(newId, { ...payload, jti: newId }, TTL)
    })
  }
  return { sessions, request, changeIn, context }
}

describe.each([
  ['in a unit of work', true],
  ['without one', false],
])('session storage %s', (_name, unitOfWork) => {
  it('finds a session by its cookie value and by its uid', async () => {
    const { sessions, request } = setup({ unitOfWork })
    await request(() => sessions.upsert('cookie', { jti: 'cookie', uid: 'u', accountId: 'a' }, TTL))
    expect(await request(() => sessions.find('cookie'))).toEqual({
      jti: 'cookie',
      uid: 'u',
      accountId: 'a',
    })
    expect(await request(() => sessions.findByUid('u'))).toMatchObject({ uid: 'u', accountId: 'a' })
    expect(await request(() => sessions.find('u'))).toBeUndefined()
  })
  it('A40 the old cookie value is over when the session gets a new one; the session goes on', async () => {
    const { sessions, request, changeIn } = setup({ unitOfWork })
    await request(() => sessions.upsert('before', { jti: 'before', uid: 'u' }, TTL))
    await changeIn('before', 'after', (payload) => (payload['accountId'] = 'a'))
    expect(await request(() => sessions.find('before'))).toBeUndefined()
    expect(await request(() => sessions.find('after'))).toEqual({
      jti: 'after',
      uid: 'u',
      accountId: 'a',
    })
  })
  it('an ended session can not be found, nor brought back by a late save', async () => {
    const { sessions, request } = setup({ unitOfWork })
    await request(() => sessions.upsert('cookie', { jti: 'cookie', uid: 'u', accountId: 'a' }, TTL))
    const read = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<void>()
    const late = request(async () => {
      const payload = await sessions.find('cookie')
      read.resolve()
      await ended.promise
      await sessions.upsert('cookie', { ...payload }, TTL)
    })
    await read.promise
    await request(() => sessions.destroy('cookie'))
    ended.resolve()
    await late
    expect(await request(() => sessions.find('cookie'))).toBeUndefined()
    expect(await request(() => sessions.findByUid('u'))).toBeUndefined()
  })
  it('a session found by its uid can be ended and saved; what stands for its cookie value opens nothing', async () => {
    const { sessions, request } = setup({ unitOfWork })
    await request(() => sessions.upsert('cookie', { jti: 'cookie', uid: 'u', accountId: 'a' }, TTL))
    const handle = await request(async () => {
      const payload = await sessions.findByUid('u')
      await sessions.upsert(payload?.jti ?? '', { ...payload, acr: 'x' }, TTL)
      return payload?.jti ?? ''
    })
    expect(await request(() => sessions.find(handle))).toBeUndefined()
    expect(await request(() => sessions.find('cookie'))).toMatchObject({ acr: 'x' })
    await request(() => sessions.destroy(handle))
    expect(await request(() => sessions.find('cookie'))).toBeUndefined()
  })
})

describe('session storage under concurrency', () => {
  it('10 tabs that save the same session at once all keep their grant, 20 rounds', async () => {
    const { sessions, request } = setup()
    for (let round = 0; round < 20; round++) {
      const uid = `u${round}`
      const clients = Array.from({ length: 10 }, (_, n) => `client-${n}`)
      await request(() => sessions.upsert(uid, { jti: uid, uid, accountId: 'a' }, TTL))
      const tab = (clientId: string) =>
        request(async () => {
          const payload = await sessions.find(uid)
          const authorizations = {
            ...payload?.authorizations,
            [clientId]: { sid: clientId, grantId: `g-${clientId}` },
          }
          await sessions.upsert(uid, { ...payload, authorizations }, TTL)
        })
      await Promise.all(clients.map(tab))
      const payload = await request(() => sessions.find(uid))
      expect(Object.keys(payload?.authorizations ?? {}).sort()).toEqual(clients)
    }
  })
  it('two tabs that change the cookie value at once both leave a usable one', async () => {
    const { sessions, request, changeIn } = setup()
    await request(() =>
      sessions.upsert('old', { jti: 'old', uid: 'u', accountId: 'a', authorizations: {} }, TTL),
    )
    await Promise.all(
      ['x', 'y'].map((id) =>
        changeIn('old', id, (payload) => (payload['authorizations'] = { [id]: { grantId: id } })),
      ),
    )
    for (const id of ['x', 'y'])
      expect((await request(() => sessions.find(id)))?.authorizations).toEqual({
        x: { grantId: 'x' },
        y: { grantId: 'y' },
      })
    expect(await request(() => sessions.find('old'))).toBeUndefined()
  })
  it('a save that can not be had for seconds is refused, not lost without a word', async () => {
    const memory = createMemoryDriver()
    const { driver, run } = createUnitOfWork({ ...memory, update: async () => false })
    const sessions = createProviderAdapter({ driver })('Session')
    const request = (work: () => Promise<unknown>) =>
      runInContext(createRequestContext(), () => run(work))
    await request(() => sessions.upsert('c', { jti: 'c', uid: 'u', accountId: 'a' }, TTL))
    let time = 0
    vi.spyOn(performance, 'now').mockImplementation(() => (time += 500))
    try {
      const refused = request(async () =>
        sessions.upsert('c', { ...(await sessions.find('c')), acr: 'x' }, TTL),
      )
      await expect(refused).rejects.toMatchObject({ code: 'unavailable' })
      expect(time).toBeLessThan(5000)
    } finally {
      vi.restoreAllMocks()
    }
  })
  it('needs one round trip by uid, two by cookie value, one to save', async () => {
    const { sessions, request, context } = setup()
    const trips = async (work: () => Promise<unknown>) => {
      const within = context()
      await request(work, within)
      return within.storage.roundTrips
    }
    expect(await trips(() => sessions.upsert('c', { jti: 'c', uid: 'u' }, TTL))).toBe(1)
    expect(await trips(() => sessions.findByUid('u'))).toBe(1)
    expect(await trips(() => sessions.find('c'))).toBe(2)
    const findAndSave = async () => sessions.upsert('c', { ...(await sessions.find('c')) }, TTL)
    expect(await trips(findAndSave)).toBe(3)
  })
})

describe(mergeSession, () => {
  const base = { uid: 'u', accountId: 'a', exp: 1, authorizations: { one: { sid: '1' } } }
  it.each([
    [
      'both add a grant',
      { ...base, authorizations: { ...base.authorizations, two: 2 } },
      { ...base, authorizations: { ...base.authorizations, three: 3 } },
      { ...base, authorizations: { one: { sid: '1' }, two: 2, three: 3 } },
    ],
    [
      'we end a grant, they add one',
      { ...base, authorizations: {} },
      { ...base, authorizations: { ...base.authorizations, two: 2 } },
      { ...base, authorizations: { two: 2 } },
    ],
    [
      'they end a grant, we only prolong',
      { ...base, exp: 9 },
      { uid: 'u', accountId: 'a', exp: 1 },
      { uid: 'u', accountId: 'a', exp: 9 },
    ],
    [
      'they sign in, we only prolong a session of nobody',
      { uid: 'u', exp: 9 },
      { ...base, exp: 5 },
      { ...base, exp: 5 },
    ],
    [
      'we change the account',
      { uid: 'u', accountId: 'b', authorizations: { two: 2 } },
      { ...base, acr: 'x' },
      { uid: 'u', accountId: 'b', authorizations: { two: 2 } },
    ],
    [
      'they change the account',
      { ...base, authorizations: { two: 2 } },
      { uid: 'u', accountId: 'b' },
      { uid: 'u', accountId: 'b' },
    ],
    [
      'both change it, differently',
      { uid: 'u', accountId: 'b' },
      { uid: 'u', accountId: 'c' },
      { uid: 'u', accountId: 'b' },
    ],
    [
      'we drop a field',
      { uid: 'u', accountId: 'a', exp: 1, state: undefined },
      { ...base, state: 's' },
      { uid: 'u', accountId: 'a', exp: 1, state: 's' },
    ],
  ])('%s', (name, ours, theirs, expected) => {
    const from = name.includes('nobody') ? { uid: 'u', exp: 1 } : base
    expect(mergeSession(from, ours, theirs)).toEqual(expected)
  })
})

describe(saysAsMuch, () => {
  const stored = { uid: 'u', accountId: 'a', exp: 100, authorizations: { one: { sid: '1' } } }
  it.each([
    ['the same', stored, true],
    ['an end seconds later', { ...stored, exp: 103 }, true],
    ['an end seconds sooner, as others had it', { ...stored, exp: 97 }, true],
    ['an end much later', { ...stored, exp: 160 }, false],
    ['an end much sooner', { ...stored, exp: 40 }, false],
    ['another grant', { ...stored, authorizations: { two: { sid: '2' } } }, false],
    ['another person', { ...stored, accountId: 'b' }, false],
    ['a field less', { uid: 'u', accountId: 'a', exp: 100 }, false],
  ])('%s: %j', (_name, wanted, expected) => {
    expect(saysAsMuch(stored, wanted)).toBe(expected)
  })
})

// Who holds what a person granted us upstream, and that it goes with its last holder: on SQLite and Redis alike.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../../../scripts/redis-server.ts'
import { artefactKey } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import { openDriver } from '../open-driver.ts'
import { createSealing } from '../sealing/sealing.ts'
import { endSession } from '../sessions/end-session.ts'
import { endGrantIdentitiesOf, endGrantIdentitiesOfPerson } from '../sessions/grant-identities.ts'
import { createIdentities, type Identity } from '../sessions/identities.ts'
import { endIdentitiesOf, sessionMember } from '../sessions/live-sessions.ts'
import { silentLog } from '../testing/silent-log.ts'
import { createUnitOfWork } from '../unit-of-work.ts'
import { revokeGrant } from './revoke-grant.ts'
import { createUpstreamTokens } from './upstream-tokens.ts'

const UPSTREAM = 'up'
const ISS = 'https://up'

describe.each(['sqlite', 'redis'] as const)('upstream tokens on %s', (kind) => {
  let folder: string
  let server: RedisServer | undefined
  let driver: Driver
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'upstream-tokens-'))
    server = kind === 'redis' ? await startRedis() : undefined
    const config = server
      ? ({ driver: 'redis', url: server.url, prefix: 'tokens:' } as const)
      : ({ driver: 'sqlite', file: join(folder, 'adapter.sqlite') } as const)
    driver = await openDriver(config, { now: Date.now, log: silentLog })
  }, 20_000)
  afterAll(async () => {
    await driver.close()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  let signIns = 0

  /** A sign-in whose session and grants hold what was granted. */
  async function signIn({ session = true, offline = [] as string[] } = {}) {
    signIns += 1
    const [uid, sub] = [`uid-${signIns}`, `sub-${signIns}`]
    const tokens = createUpstreamTokens(driver, createSealing([randomBytes(32)]))
    const identities = createIdentities(createUnitOfWork(driver).driver)
    const plain: Identity = {
      accountId: sub,
      upstream: UPSTREAM,
      upstreamIssuer: ISS,
      claims: {},
      upstreamSession: { sub },
    }
    const grant = { upstream: UPSTREAM, iss: ISS, sub, refreshToken: 'r', identity: plain }
    const id = await tokens.create(grant, 60)
    const identity = { ...plain, upstreamTokens: id }
    if (session) await identities.save(uid, identity, 60)
    const grantIds = offline.map((name) => `${name}-${signIns}`)
    for (const grantId of grantIds) {
      await driver.set(artefactKey('Grant', grantId), {}, 60)
      await tokens.join(id, grantId, 60)
      await identities.saveForGrant(grantId, identity, 60)
    }
    const isKept = async () => (await tokens.read(id)) !== undefined
    return { uid, sub, identity, identities, tokens, grantIds, isKept, member: sessionMember(uid) }
  }

  it('A52 goes with the session that a person ends, or somebody else', async () => {
    const [one, two, three] = [await signIn(), await signIn(), await signIn()]
    await one.identities.delete(one.uid)
    await endSession(driver, two.member, { authorizations: {} })
    await endIdentitiesOf(driver, UPSTREAM, ({ accountId }) => accountId === three.sub)
    expect([await one.isKept(), await two.isKept(), await three.isKept()]).toEqual([
      false,
      false,
      false,
    ])
  })

  it('A52 goes with the session in one unit of work with its other writes', async () => {
    const { tokens, identity, isKept, uid } = await signIn()
    const { driver: deferring, run } = createUnitOfWork(driver)
    await run(() => createIdentities(deferring).delete(uid))
    expect(await isKept()).toBe(false)
    expect(await tokens.read(identity.upstreamTokens)).toBeUndefined()
  })

  it('every sign-in of one session: who signs in once more leaves nothing behind', async () => {
    const { identities, uid, tokens, identity, isKept } = await signIn()
    const { upstreamTokens: _first, ...plain } = identity
    const grant = { upstream: UPSTREAM, iss: ISS, sub: 's', refreshToken: 'r', identity: plain }
    const second = await tokens.create(grant, 60)
    await identities.save(uid, { ...plain, upstreamTokens: second }, 60)
    await identities.delete(uid)
    expect([await isKept(), await tokens.read(second)]).toEqual([false, undefined])
  })

  it('stays with a grant that outlives the session, and goes with the last of them', async () => {
    const signedIn = await signIn({ offline: ['a', 'b'] })
    const [a = '', b = ''] = signedIn.grantIds
    await signedIn.identities.delete(signedIn.uid)
    expect(await signedIn.isKept()).toBe(true)
    await revokeGrant(driver, a)
    expect(await signedIn.isKept()).toBe(true)
    await revokeGrant(driver, b)
    expect(await signedIn.isKept()).toBe(false)
  })

  it('stays with the session when a grant ends', async () => {
    const signedIn = await signIn({ offline: ['a'] })
    await revokeGrant(driver, signedIn.grantIds[0] ?? '')
    expect(await signedIn.isKept()).toBe(true)
    await endSession(driver, signedIn.member, { authorizations: {} })
    expect(await signedIn.isKept()).toBe(false)
  })

  it('a session that ends with its grants leaves nothing, and touches nobody else’s', async () => {
    const [one, other] = [await signIn({ offline: ['a'] }), await signIn({ offline: ['b'] })]
    const authorizations = { client: { grantId: one.grantIds[0] ?? '' } }
    await endSession(driver, one.member, { authorizations })
    expect([await one.isKept(), await other.isKept()]).toEqual([false, true])
  })

  it('A52 goes with the identity of a grant that an operator or the upstream ends', async () => {
    const [one, two] = [
      await signIn({ session: false, offline: ['a'] }),
      await signIn({ session: false, offline: ['b', 'c'] }),
    ]
    expect(
      await endGrantIdentitiesOf(driver, UPSTREAM, ({ accountId }) => accountId === one.sub),
    ).toBe(1)
    expect([await one.isKept(), await two.isKept()]).toEqual([false, true])
    const person = { upstream: UPSTREAM, iss: ISS, sub: two.sub }
    expect(await endGrantIdentitiesOfPerson(driver, { ...person, upstream: 'other' })).toBe(0)
    expect(await endGrantIdentitiesOfPerson(driver, person)).toBe(2)
    expect(await two.isKept()).toBe(false)
    expect(await endGrantIdentitiesOfPerson(driver, person)).toBe(0)
  })
})

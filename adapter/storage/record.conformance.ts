// What is kept on top of a driver, for every driver: written by one process, it is there for another, ends when it should, and
// goes with what it hangs on. `open` is called twice, as in driver.conformance.ts. Races are in race.conformance.ts;
// signing keys and the audit trail have rooms and tests of their own.
import { randomBytes } from 'node:crypto'
import type { AdapterPayload } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRequestContext, runInContext } from '../../service/request-context.ts'
import {
  consentsOfUserIndex,
  createConsents,
  forgetConsents,
  forgetConsentsOfClient,
} from './consents/consents.ts'
import { withDeviceCodes } from './device/device-codes.ts'
import { createUserCodeTries } from './device/user-code-tries.ts'
import type { DriverHarness } from './driver.conformance.ts'
import type { Driver } from './driver.ts'
import { createLogoutDeliveries, deliveryId } from './logouts/logout-deliveries.ts'
import { createLogoutTrails, explainLogout } from './logouts/logout-trails.ts'
import { createUpstreamLogoutTokens } from './logouts/upstream-logout-tokens.ts'
import { createUpstreamLogouts } from './logouts/upstream-logouts.ts'
import { artefactKey } from './provider/artefact-key.ts'
import { createProviderAdapter } from './provider/provider-adapter.ts'
import { loadOrCreateSealed } from './sealing/sealed-records.ts'
import { createSealing } from './sealing/sealing.ts'
import { createIdentities } from './sessions/identities.ts'
import { createSubjectAliases } from './sessions/subject-aliases.ts'
import { endGrantIdentitiesOf } from './sessions/grant-identities.ts'
import { injectLatency } from './testing/inject-latency.ts'
import { createLoginTransactions } from './tokens/login-transactions.ts'
import { withGrace } from './tokens/refresh-tokens.ts'
import { revokeGrant } from './tokens/revoke-grant.ts'
import { createRevokedTokens } from './tokens/revoked-tokens.ts'
import { createUpstreamTokens } from './tokens/upstream-tokens.ts'
import { createUnitOfWork } from './unit-of-work.ts'

const TTL = 100
const DAY_SECONDS = 86_400
const GRACE = 30
const key = randomBytes(32)
const sealing = createSealing([key])
const alreadyConsumed = { code: 'already_consumed' }

const identity = {
  accountId: 'a',
  upstream: 'u',
  upstreamIssuer: 'https://u.test',
  claims: { name: 'Ada' },
}

/** Of one process. */
function recordsOver(driver: Driver, now: () => number) {
  const { driver: deferring, run } = createUnitOfWork(driver)
  const factory = createProviderAdapter({ driver: deferring })
  const rotating = withGrace(factory, {
    driver: deferring,
    successorOf: (value) => `after ${value}`,
    graceSeconds: () => GRACE,
    now,
  })
  return {
    driver,
    transactions: createLoginTransactions(driver),
    deliveries: createLogoutDeliveries({ driver, now }),
    trails: createLogoutTrails(driver),
    upstreamLogoutTokens: createUpstreamLogoutTokens(driver),
    upstreamLogouts: createUpstreamLogouts(driver),
    identities: createIdentities(deferring),
    aliases: createSubjectAliases(deferring),
    revoked: createRevokedTokens(driver),
    upstreamTokens: createUpstreamTokens(driver, sealing),
    refreshTokens: rotating('RefreshToken'),
    pushed: factory('PushedAuthorizationRequest'),
    replays: factory('ReplayDetection'),
    grants: factory('Grant'),
    deviceCodes: withDeviceCodes(factory, { driver: deferring, sealing, key })('DeviceCode'),
    tries: createUserCodeTries(driver),
    consents: createConsents(driver),
    sessions: factory('Session'),
    request: <T>(work: () => Promise<T>) => runInContext(createRequestContext(), () => run(work)),
    sealed: (name: string, make: () => Promise<unknown>) =>
      loadOrCreateSealed(driver, sealing, name, make),
  }
}

export function describeRecords(name: string, harness: DriverHarness): void {
  describe(`records: ${name}`, () => {
    let skewMs = 0
    const now = () => Date.now() + skewMs
    let one: ReturnType<typeof recordsOver>
    let other: ReturnType<typeof recordsOver>
    let number = 0
    const fresh = () => `${name.replaceAll(' ', '-')}-record-${number++}`

    async function later<T>(seconds: number, call: () => Promise<T>): Promise<T> {
      skewMs += seconds * 1000
      try {
        return await call()
      } finally {
        skewMs -= seconds * 1000
      }
    }

    beforeAll(async () => {
      one = recordsOver(injectLatency(await harness.open(now), 1), now)
      other = recordsOver(injectLatency(await harness.open(now), 1), now)
    })
    afterAll(async () => {
      await one.driver.close()
      await other.driver.close()
    })

    it('a login transaction is another’s to take, once, and no more when it is late', async () => {
      const transaction = {
        interactionUid: 'i',
        upstream: 'u',
        nonce: 'n',
        codeVerifier: 'v',
        redirect_uri: 'r',
        flowId: 'f',
        createdAt: 0,
      }
      const [state, late] = [fresh(), fresh()]
      for (const each of [state, late]) await one.transactions.insert(each, transaction, TTL)
      expect(await other.transactions.take(state)).toEqual(transaction)
      expect(await one.transactions.take(state)).toBeUndefined()
      expect(await later(TTL, () => other.transactions.take(late))).toBeUndefined()
    })

    describe('logout deliveries', () => {
      const due = async (sid: string) =>
        (await other.deliveries.due()).includes(deliveryId({ clientId: 'c', sid }))

      it('added twice is one; in the hands of one it is not another’s; put off it is due later; done it is gone', async () => {
        const sid = fresh()
        const id = deliveryId({ clientId: 'c', sid })
        const delivery = { clientId: 'c', accountId: 'a', sid }
        await one.deliveries.add([delivery])
        await other.deliveries.add([delivery])
        const mine = await one.deliveries.claim(id)
        expect(mine).toMatchObject({ ...delivery, attempts: 0 })
        expect(await other.deliveries.claim(id)).toBeUndefined()
        if (mine) await one.deliveries.postpone(mine, now() + 60_000)
        expect(await other.deliveries.claim(id)).toBeUndefined()
        await later(61, async () => {
          expect(await due(sid)).toBe(true)
          const theirs = await other.deliveries.claim(id)
          expect(theirs).toMatchObject({ attempts: 1 })
          if (theirs) await other.deliveries.remove(theirs)
          expect(await due(sid)).toBe(false)
          expect(await one.deliveries.claim(id)).toBeUndefined()
        })
      })

      it('of a process that died with it in hand, another goes on with it', async () => {
        const sid = fresh()
        await one.deliveries.add([{ clientId: 'c', accountId: 'a', sid }])
        const id = deliveryId({ clientId: 'c', sid })
        expect(await one.deliveries.claim(id)).toBeDefined()
        expect(await later(20, () => other.deliveries.claim(id))).toBeDefined()
      })
    })

    it('a logout’s trail is told by any process, for a day', async () => {
      const sid = fresh()
      await one.trails.save({ endedAt: now(), cause: 'person' }, [
        { clientId: 'c', sid, way: 'server' },
        { clientId: 'd', sid, way: 'none' },
      ])
      const id = deliveryId({ clientId: 'c', sid })
      await other.trails.note(id, { state: 'told', attempts: 2, at: now() })
      expect((await explainLogout(other.driver, sid))?.apps).toMatchObject([
        { client_id: 'c', state: 'told', attempts: 2 },
        { client_id: 'd', state: 'not_told' },
      ])
      expect(await later(DAY_SECONDS + 1, () => explainLogout(one.driver, sid))).toBeUndefined()
    })

    it('the way back from an upstream’s logout is taken once', async () => {
      const state = fresh()
      const logout = { upstream: 'u', target: 'https://app.test/', browser: 'b' }
      await one.upstreamLogouts.save(state, logout)
      expect(await other.upstreamLogouts.take(state)).toEqual(logout)
      expect(await one.upstreamLogouts.take(state)).toBeUndefined()
    })

    it('a logout token of an upstream is followed once, unless it was not followed after all', async () => {
      const token = { upstream: 'u', iss: 'i', jti: fresh() }
      const use = (by: typeof one, changed = {}) =>
        by.upstreamLogoutTokens.use({ ...token, ...changed }, TTL)
      expect([await use(one), await use(other)]).toEqual([true, false])
      expect(await use(other, { upstream: 'v' })).toBe(true)
      expect(await use(other, { iss: 'j' })).toBe(true)
      await other.upstreamLogoutTokens.giveBack(token)
      expect([await use(other), await use(one)]).toEqual([true, false])
      expect(await later(TTL, () => use(one))).toBe(true)
    })

    it('an identity is found, replaced only while it is the one that was found, and goes with its session', async () => {
      const uid = fresh()
      await one.identities.save(uid, identity, TTL, 'c')
      const found = await other.identities.find(uid)
      expect(found).toEqual(identity)
      const changed = { ...identity, claims: { name: 'Ada L.' } }
      await one.identities.replace(uid, (await one.identities.find(uid)) ?? identity, changed)
      if (found) await other.identities.replace(uid, found, identity)
      expect(await other.identities.find(uid)).toEqual(changed)
      await other.identities.delete(uid)
      expect(await one.identities.find(uid)).toBeUndefined()
    })

    it('an identity of a grant that was ended, or replaced, is not written by whoever read it before', async () => {
      const grantId = fresh()
      await one.identities.saveForGrant(grantId, identity, TTL)
      const [found, late] = await Promise.all([
        one.identities.findForGrant(grantId),
        other.identities.findForGrant(grantId),
      ])
      const changed = { ...identity, claims: { name: 'Ada L.' } }
      await one.identities.replaceForGrant(grantId, found ?? identity, changed)
      await other.identities.replaceForGrant(grantId, late ?? identity, identity)
      const last = await other.identities.findForGrant(grantId)
      expect(last).toEqual(changed)
      await revokeGrant(one.driver, grantId)
      await other.identities.replaceForGrant(grantId, last ?? identity, identity)
      expect(await one.identities.findForGrant(grantId)).toBeUndefined()
    })

    it('the identity of a grant goes with the grant, and so do its tokens', async () => {
      const [grantId, token] = [fresh(), fresh()]
      await one.grants.upsert(grantId, { jti: grantId, kind: 'Grant' }, TTL)
      await one.identities.saveForGrant(grantId, identity, TTL)
      await other.refreshTokens.upsert(token, { jti: token, kind: 'RefreshToken', grantId }, TTL)
      expect(await other.identities.findForGrant(grantId)).toEqual(identity)
      await revokeGrant(other.driver, grantId)
      expect(await one.identities.findForGrant(grantId)).toBeUndefined()
      expect(await one.refreshTokens.find(token)).toBeUndefined()
      expect(await one.grants.find(grantId)).toBeUndefined()
    })

    it('no index names the identity of a grant that was ended, in either way', async () => {
      const [revoked, ended, upstream] = [fresh(), fresh(), fresh()]
      const upstreamSession = { sub: fresh() }
      for (const grantId of [revoked, ended])
        await one.identities.saveForGrant(grantId, { ...identity, upstream, upstreamSession }, TTL)
      const named = () => one.driver.members(`grants-of-upstream:${upstream}`)
      expect(await named()).toHaveLength(2)
      await revokeGrant(other.driver, revoked)
      expect(await named()).toHaveLength(1)
      expect(await endGrantIdentitiesOf(other.driver, upstream, () => true)).toBe(1)
      expect(await named()).toEqual([])
    })

    it('a sub is kept for one person, by whichever process they came', async () => {
      const [value, sub] = [fresh(), fresh()]
      const ada = { group: 'g', value }
      expect(await one.aliases.claim(ada, sub, TTL)).toBe(sub)
      expect(await other.aliases.claim(ada, fresh(), TTL)).toBe(sub)
      expect(await other.aliases.claim({ group: 'g', value: fresh() }, sub, TTL)).toBeUndefined()
    })

    it('F68 a revoked token is known to all at once, for as long as it would live and an hour for a clock set back', async () => {
      const id = fresh()
      await one.revoked.add(id, TTL)
      expect(await other.revoked.has(id)).toBe(true)
      expect(await other.revoked.has(fresh())).toBe(false)
      expect(await later(TTL + 3600, () => other.revoked.has(id))).toBe(false)
    })

    it('upstream tokens are sealed, replaced by version, and end with every grant that joined', async () => {
      const grantId = fresh()
      const grant = { upstream: 'u', iss: 'i', sub: 's', refreshToken: 'the-secret', identity }
      const id = await one.upstreamTokens.create(grant, TTL)
      await one.grants.upsert(grantId, { jti: grantId, kind: 'Grant' }, TTL)
      await other.upstreamTokens.join(id, grantId, TTL)
      expect(await other.upstreamTokens.read(id)).toEqual({ grant, version: 1 })
      const next = { ...grant, refreshToken: 'the-next' }
      expect(await one.upstreamTokens.update(id, 1, next)).toBe(true)
      expect(await other.upstreamTokens.update(id, 1, grant)).toBe(false)
      expect(await other.upstreamTokens.read(id)).toEqual({ grant: next, version: 2 })
      await one.upstreamTokens.end(id)
      expect(await other.upstreamTokens.read(id)).toBeUndefined()
      expect(await other.grants.find(grantId)).toBeUndefined()
    })

    it('A21 F49 a used refresh token stands for its unused successor within the grace; at any other time everything ends', async () => {
      const [grantId, token] = [fresh(), fresh()]
      const payload = { jti: token, kind: 'RefreshToken', grantId, clientId: 'c' }
      const successor = { ...payload, jti: `after ${token}`, rotations: 1 }
      await one.refreshTokens.upsert(token, payload, TTL)
      await one.refreshTokens.consume(token)
      await one.refreshTokens.upsert(successor.jti, successor, TTL)
      expect(await other.refreshTokens.find(token)).not.toHaveProperty('consumed')
      await other.refreshTokens.consume(token)
      await later(GRACE + 2, async () => {
        expect(await other.refreshTokens.find(token)).toHaveProperty('consumed')
        await expect(other.refreshTokens.consume(token)).rejects.toMatchObject(alreadyConsumed)
        expect(await one.refreshTokens.find(successor.jti)).toBeUndefined()
      })
    })

    it('C31 a pushed request is found by any process, used once, and ends', async () => {
      const [id, late] = [fresh(), fresh()]
      for (const each of [id, late])
        await one.pushed.upsert(each, { jti: each, kind: 'PushedAuthorizationRequest' }, TTL)
      expect(await other.pushed.find(id)).toMatchObject({ jti: id })
      await other.pushed.consume(id)
      expect(await one.pushed.find(id)).toHaveProperty('consumed')
      await expect(one.pushed.consume(id)).rejects.toMatchObject(alreadyConsumed)
      expect(await later(TTL, () => other.pushed.find(late))).toBeUndefined()
    })

    it('A22 a jti is new once, until what bears it is over', async () => {
      const id = fresh()
      const use = (by: typeof one) =>
        by.replays.upsert(id, { jti: id, kind: 'ReplayDetection' }, TTL)
      await use(one)
      expect(await other.replays.find(id)).toBeDefined()
      await expect(use(other)).rejects.toMatchObject(alreadyConsumed)
      await later(TTL, () => use(other))
    })

    it('a device code is found by what the person types, and decided about once', async () => {
      const [id, userCode] = [fresh(), fresh()]
      const payload = { jti: id, kind: 'DeviceCode', userCode, grantId: fresh() }
      await one.deviceCodes.upsert(id, payload, TTL)
      expect(await other.deviceCodes.findByUserCode(userCode)).toMatchObject({ jti: id, userCode })
      expect(await other.deviceCodes.findByUserCode(fresh())).toBeUndefined()
      await other.deviceCodes.upsert(id, { ...payload, inFlight: true }, TTL)
      const again = one.deviceCodes.upsert(id, { ...payload, inFlight: true }, TTL)
      await expect(again).rejects.toMatchObject(alreadyConsumed)
      await other.deviceCodes.upsert(id, { ...payload, accountId: 'a' }, TTL)
      const changed = one.deviceCodes.upsert(id, { ...payload, error: 'access_denied' }, TTL)
      await expect(changed).rejects.toMatchObject(alreadyConsumed)
      expect(await one.deviceCodes.find(id)).toMatchObject({ accountId: 'a' })
    })

    it('guesses at user codes are counted over all processes, and forgotten after a while', async () => {
      const address = fresh()
      const guess = async (turn: number) =>
        (await (turn % 2 ? one : other).tries.begin(address)).isAllowed
      const answers: boolean[] = []
      for (let turn = 0; turn < 22; turn += 1) answers.push(await guess(turn))
      expect(answers.filter(Boolean)).toHaveLength(20)
      expect(await later(601, () => guess(0))).toBe(true)
    })

    describe('consents', () => {
      const year = 365 * DAY_SECONDS
      const givenBy = async (accountId: string, clientId: string, items: readonly string[]) => {
        const key = { clientId, accountId }
        await one.consents.give(key, items)
        return key
      }

      it('are of one app and one person, add up over processes, and end a year after the last', async () => {
        const [app, ada, ben] = [fresh(), fresh(), fresh()]
        const key = await givenBy(ada, app, ['scope:a'])
        await later(year - 1, async () => {
          await other.consents.give(key, ['scope:b', 'scope:a'])
          expect(await one.consents.find(key)).toEqual(['scope:a', 'scope:b'])
        })
        expect(await other.consents.find({ clientId: app, accountId: ben })).toEqual([])
        expect(await other.consents.find({ clientId: fresh(), accountId: ada })).toEqual([])
        expect(await later(year, () => other.consents.find(key))).toHaveLength(2)
        expect(await later(2 * year - 1, () => other.consents.find(key))).toEqual([])
      })

      it('given in six tabs at two processes at once: none is lost', async () => {
        const key = { clientId: fresh(), accountId: fresh() }
        const items = Array.from({ length: 6 }, (_, at) => `scope:${at}`)
        await Promise.all(
          items.map((item, at) => (at % 2 ? one : other).consents.give(key, [item])),
        )
        expect((await one.consents.find(key)).toSorted()).toEqual(items)
      })

      it('go with the person, or with the app, and nothing of others does', async () => {
        const [app, another, ada, ben] = [fresh(), fresh(), fresh(), fresh()]
        const keys = {
          adaHere: await givenBy(ada, app, ['scope:a']),
          adaThere: await givenBy(ada, another, ['scope:a']),
          benHere: await givenBy(ben, app, ['scope:a']),
        }
        expect(await other.driver.members(consentsOfUserIndex(ada))).toHaveLength(2)
        expect(await forgetConsents(other.driver, ada)).toBe(2)
        expect(await one.driver.members(consentsOfUserIndex(ada))).toEqual([])
        for (const key of [keys.adaHere, keys.adaThere])
          expect(await one.consents.find(key)).toEqual([])
        expect(await one.consents.find(keys.benHere)).toEqual(['scope:a'])
        expect(await forgetConsentsOfClient(other.driver, app)).toBe(1)
        expect(await one.consents.find(keys.benHere)).toEqual([])
        expect(await forgetConsentsOfClient(other.driver, app)).toBe(0)
      })
    })

    describe('a session that fifty requests at two processes save at once', () => {
      async function savedByFifty(change: (session: AdapterPayload, at: number) => void) {
        const uid = fresh()
        const started = { jti: uid, uid, accountId: 'a', exp: 1000 }
        await one.request(() => one.sessions.upsert(uid, started, TTL))
        const save = (by: typeof one, at: number) =>
          by.request(async () => {
            const session = { ...(await by.sessions.find(uid)) }
            change(session, at)
            await by.sessions.upsert(uid, session, TTL)
          })
        const all = Array.from({ length: 50 }, (_, at) => save(at % 2 ? one : other, at))
        await Promise.all(all)
        const record = await one.driver.get(artefactKey('Session', uid))
        return { payload: await other.sessions.find(uid), version: record?.version ?? 0 }
      }

      it('keeps what each of them added, and refuses none', async () => {
        const { payload } = await savedByFifty((session, at) => {
          const grant = { sid: `${at}`, grantId: `${at}` }
          session.authorizations = { ...session.authorizations, [`client-${at}`]: grant }
        })
        expect(Object.keys(payload?.authorizations ?? {})).toHaveLength(50)
      })

      it('is written but a few times where each only moves its end on by a second or two', async () => {
        const { payload, version } = await savedByFifty((session, at) => {
          session.exp = 1100 + (at % 3)
        })
        expect(Number(payload?.exp)).toBeGreaterThanOrEqual(1100)
        expect(version).toBeLessThan(10)
      })
    })

    it('a secret of ours is made by one process, and the same for all', async () => {
      const record = fresh()
      const made = await Promise.all(
        [one, other].map((by, index) => by.sealed(record, async () => `secret ${index}`)),
      )
      expect(made[0]).toBe(made[1])
      expect(await other.sealed(record, async () => 'another')).toBe(made[0])
    })
  })
}

// For tests: what is raced for. Each race has one record, and a move that only one contestant may bring off.
import { StorageError } from '../../errors.ts'
import { withDeviceCodes } from '../device/device-codes.ts'
import type { Driver } from '../driver.ts'
import { createLogoutDeliveries, deliveryId } from '../logouts/logout-deliveries.ts'
import { createUpstreamLogoutTokens } from '../logouts/upstream-logout-tokens.ts'
import { createUpstreamLogouts } from '../logouts/upstream-logouts.ts'
import { createLoginTransactions } from '../tokens/login-transactions.ts'
import { createProviderAdapter } from '../provider/provider-adapter.ts'
import { createSealing } from '../sealing/sealing.ts'
import { createSubjectAliases } from '../sessions/subject-aliases.ts'
import { withGrace } from '../tokens/refresh-tokens.ts'
import { createUpstreamTokens } from '../tokens/upstream-tokens.ts'
import { createUnitOfWork } from '../unit-of-work.ts'

const TTL_SECONDS = 60

interface Race {
  fill(driver: Driver, id: string): Promise<unknown>
  /** True if this contestant may go on. */
  move(driver: Driver, id: string): Promise<boolean>
}

/** The same in every process. */
const KEY = Buffer.alloc(32, 'races')
const sealing = createSealing([KEY])

const adapterOf = (driver: Driver, model: string) =>
  createProviderAdapter({ driver: createUnitOfWork(driver).driver })(model)

async function unlessConsumed(action: Promise<unknown>): Promise<boolean> {
  try {
    await action
    return true
  } catch (error) {
    if (error instanceof StorageError && error.code === 'already_consumed') return false
    throw error
  }
}

/** As oidc-provider redeems: it looks, and if the record is not consumed, consumes it. */
function redemption(model: string): Race {
  return {
    fill: (driver, id) =>
      adapterOf(driver, model).upsert(id, { jti: id, kind: model, grantId: 'g' }, TTL_SECONDS),
    async move(driver, id) {
      const adapter = adapterOf(driver, model)
      const payload = await adapter.find(id)
      return Boolean(payload && !payload.consumed) && unlessConsumed(adapter.consume(id))
    },
  }
}

/** All may go on, and all find one successor: what one of them wrote. */
const replacement: Race = {
  fill: redemption('RefreshToken').fill,
  async move(driver, id) {
    const { driver: deferring } = createUnitOfWork(driver)
    const adapter = withGrace(createProviderAdapter({ driver: deferring }), {
      driver: deferring,
      successorOf: (value) => `after ${value}`,
      graceSeconds: () => TTL_SECONDS,
      now: Date.now,
    })('RefreshToken')
    const payload = await adapter.find(id)
    if (!payload || payload.consumed) throw new Error('Cannot use the token, though in its grace')
    await adapter.consume(id)
    const successor = `after ${id}`
    const nonce = String(Math.random())
    await adapter.upsert(
      successor,
      { ...payload, jti: successor, rotations: 1, nonce },
      TTL_SECONDS,
    )
    return (await adapter.find(successor))?.nonce === nonce
  },
}

const deviceCodesOf = (driver: Driver) => {
  const { driver: deferring } = createUnitOfWork(driver)
  const factory = createProviderAdapter({ driver: deferring })
  return withDeviceCodes(factory, { driver: deferring, sealing, key: KEY })('DeviceCode')
}

/** Of those who change a device code, each with its own wish, one may. */
function deviceCodeChange(wish: () => object): Race {
  const payload = (id: string) => ({ jti: id, kind: 'DeviceCode', userCode: id, grantId: 'g' })
  return {
    fill: (driver, id) => deviceCodesOf(driver).upsert(id, payload(id), TTL_SECONDS),
    move: (driver, id) =>
      unlessConsumed(deviceCodesOf(driver).upsert(id, { ...payload(id), ...wish() }, TTL_SECONDS)),
  }
}

/** Each contestant is a process of its own to the others. */
const logoutDelivery: Race = {
  fill: (driver, sid) =>
    createLogoutDeliveries({ driver, now: Date.now }).add([{ clientId: 'c', accountId: 'a', sid }]),
  async move(driver, sid) {
    const deliveries = createLogoutDeliveries({ driver, now: Date.now })
    return (await deliveries.claim(deliveryId({ clientId: 'c', sid }))) !== undefined
  },
}

const upstreamGrant = {
  upstream: 'u',
  iss: 'i',
  sub: 's',
  refreshToken: 't',
  identity: { accountId: 'a', upstream: 'u', upstreamIssuer: 'i', claims: {} },
}

/** The record has an id of its own, which the race's id leads to. */
const upstreamTokens: Race = {
  async fill(driver, id) {
    const named = await createUpstreamTokens(driver, sealing).create(upstreamGrant, TTL_SECONDS)
    await driver.set(`named ${id}`, named, TTL_SECONDS)
  },
  async move(driver, id) {
    const named = (await driver.get(`named ${id}`))?.value as string
    return createUpstreamTokens(driver, sealing).update(named, 1, upstreamGrant)
  },
}

export const races = {
  'A20 code redemption: 50 parallel': redemption('AuthorizationCode'),
  'A21 refresh token use: 50 parallel': redemption('RefreshToken'),
  'A21 F49 refresh token replaced in its grace: 50 parallel': replacement,
  'A20 upstream state: 50 parallel': {
    fill: (driver, id) =>
      createLoginTransactions(driver).insert(
        id,
        {
          interactionUid: 'i',
          upstream: 'u',
          nonce: 'n',
          codeVerifier: 'v',
          redirect_uri: 'r',
          flowId: 'f',
          createdAt: 0,
        },
        TTL_SECONDS,
      ),
    move: async (driver, id) => (await createLoginTransactions(driver).take(id)) !== undefined,
  },
  'A22 proof or assertion jti: 50 parallel': {
    fill: async () => undefined,
    async move(driver, id) {
      const adapter = adapterOf(driver, 'ReplayDetection')
      return (
        (await adapter.find(id)) === undefined &&
        unlessConsumed(adapter.upsert(id, { jti: id, kind: 'ReplayDetection' }, TTL_SECONDS))
      )
    },
  },
  'C31 pushed request_uri: 50 parallel': redemption('PushedAuthorizationRequest'),
  'user code typed in by 50 at once': deviceCodeChange(() => ({ inFlight: true })),
  'device code decided by 50 at once': deviceCodeChange(() => ({ accountId: `${Math.random()}` })),
  'A20 device code redemption: 50 parallel': redemption('DeviceCode'),
  'F73 logout delivery taken in hand: 50 parallel': logoutDelivery,
  'state of a logout upstream: 50 parallel': {
    fill: (driver, id) =>
      createUpstreamLogouts(driver).save(id, { upstream: 'u', target: '/', browser: 'b' }),
    move: async (driver, id) => (await createUpstreamLogouts(driver).take(id)) !== undefined,
  },
  'A38 jti of an upstream’s logout token: 50 parallel': {
    fill: async () => undefined,
    move: (driver, jti) =>
      createUpstreamLogoutTokens(driver).use({ upstream: 'u', iss: 'i', jti }, TTL_SECONDS),
  },
  'F70 lease to rotate the keys: 50 parallel': {
    fill: async () => undefined,
    move: (driver, id) => driver.lease(id, String(Math.random()), TTL_SECONDS),
  },
  'upstream tokens of one version replaced: 50 parallel': upstreamTokens,
  'A16 one sub wanted by 50 people': {
    fill: async () => undefined,
    async move(driver, id) {
      const person = { group: 'g', value: String(Math.random()) }
      const aliases = createSubjectAliases(createUnitOfWork(driver).driver)
      return (await aliases.claim(person, id, TTL_SECONDS)) !== undefined
    },
  },
} satisfies Record<string, Race>

export type RaceName = keyof typeof races

export async function fillRecord(driver: Driver, race: RaceName, id: string): Promise<void> {
  await races[race].fill(driver, id)
}

/** How many of `parallel` contestants on one driver bring the move off. */
export async function countWinners(
  driver: Driver,
  race: RaceName,
  id: string,
  parallel: number,
): Promise<number> {
  const moves = await Promise.all(
    Array.from({ length: parallel }, () => races[race].move(driver, id)),
  )
  return moves.filter(Boolean).length
}

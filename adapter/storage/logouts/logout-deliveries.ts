// Logout tokens that apps have yet to get: one record for each app of an ended session, kept until the app took it or the
// time for it is over, so that a restart loses none. Sends nothing.
import { randomBytes } from 'node:crypto'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

export interface LogoutDelivery {
  id: string
  clientId: string
  /** Whose session it was; what the app calls them is found when it is told. */
  accountId: string
  sid: string
  /** Epoch milliseconds: when the session ended. */
  since: number
  attempts: number
  /** Epoch milliseconds. */
  dueAt: number
}

export interface LogoutDeliveries {
  /** One session and app have one delivery, however often it is added. */
  add(deliveries: readonly NewDelivery[]): Promise<void>
  /** The ids of those that are due. */
  due(): Promise<string[]>
  /** The delivery, if it is due and no other process has it in hand. */
  claim(id: string): Promise<LogoutDelivery | undefined>
  /** Not tried: anybody may claim it at once. */
  putBack(delivery: LogoutDelivery): Promise<void>
  /** It came through, or is given up. */
  remove(delivery: LogoutDelivery): Promise<void>
  postpone(delivery: LogoutDelivery, dueAt: number): Promise<void>
}

export type NewDelivery = Pick<LogoutDelivery, 'clientId' | 'accountId' | 'sid'>

export interface LogoutDeliveriesOptions {
  driver: Driver
  /** Epoch milliseconds. */
  now: () => number
}

/** How long an app is tried. */
export const DELIVERY_TTL_SECONDS = 3600
/** Beyond its time, for the last try. */
const RECORD_TTL_SECONDS = DELIVERY_TTL_SECONDS + 300
/** Longer than one try takes. A process that dies holds it no longer. */
const LEASE_SECONDS = 15
const INDEX = 'logout-deliveries'

const keyOf = (id: string) => `LogoutDelivery:${id}`
const leaseOf = (id: string) => `logout-delivery:${id}`
/** Says when it is due, so that those of later are not read. */
const memberOf = ({ id, dueAt }: Pick<LogoutDelivery, 'id' | 'dueAt'>) => `${dueAt}.${id}`

/** One session and app have one. */
export function deliveryId({ clientId, sid }: Pick<NewDelivery, 'clientId' | 'sid'>): string {
  return hashed(JSON.stringify([clientId, sid]))
}

/** All reject with StorageError `unavailable`. */
export function createLogoutDeliveries({ driver, now }: LogoutDeliveriesOptions): LogoutDeliveries {
  const owner = randomBytes(12).toString('base64url')

  return {
    async add(deliveries) {
      const at = { since: now(), attempts: 0, dueAt: now() }
      await Promise.all(
        deliveries.map((delivery) => {
          return save(driver, { ...delivery, id: deliveryId(delivery), ...at })
        }),
      )
    },
    async due() {
      const members = await driver.members(INDEX)
      const isDue = (member: string) => Number(member.split('.', 1)[0]) <= now()
      return members.filter(isDue).map((member) => member.slice(member.indexOf('.') + 1))
    },
    async claim(id) {
      if (!(await driver.lease(leaseOf(id), owner, LEASE_SECONDS))) return undefined
      const delivery = (await driver.get(keyOf(id)))?.value as LogoutDelivery | undefined
      if (delivery && delivery.dueAt <= now()) return delivery
      await Promise.all([driver.release(leaseOf(id), owner), dropLeftovers(driver, id, delivery)])
      return undefined
    },
    putBack: ({ id }) => driver.release(leaseOf(id), owner),
    async remove(delivery) {
      await Promise.all([driver.delete(keyOf(delivery.id)), driver.drop(INDEX, memberOf(delivery))])
      await driver.release(leaseOf(delivery.id), owner)
    },
    async postpone(delivery, dueAt) {
      await save(driver, { ...delivery, attempts: delivery.attempts + 1, dueAt })
      await driver.drop(INDEX, memberOf(delivery))
      await driver.release(leaseOf(delivery.id), owner)
    },
  }
}

async function save(driver: Driver, delivery: LogoutDelivery): Promise<void> {
  // The index first: where the store keeps the order, no record is without its entry.
  await Promise.all([
    driver.add(INDEX, memberOf(delivery), RECORD_TTL_SECONDS),
    driver.set(keyOf(delivery.id), delivery, RECORD_TTL_SECONDS),
  ])
}

/** Entries of a process that ended between two writes. */
async function dropLeftovers(
  driver: Driver,
  id: string,
  delivery: LogoutDelivery | undefined,
): Promise<void> {
  const current = delivery && memberOf(delivery)
  const members = await driver.members(INDEX)
  const stale = members.filter((member) => member.endsWith(`.${id}`) && member !== current)
  await Promise.all(stale.map((member) => driver.drop(INDEX, member)))
}

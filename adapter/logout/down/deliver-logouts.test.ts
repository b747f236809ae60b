// Deliveries of logout tokens where something is in the way: an app that is silent, a process that can not sign, or does not
// know the app. The chain is in logout-down.test.ts.
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ClientConfig } from '../../config/schema.ts'
import { createMemoryDriver } from '../../storage/drivers/memory.ts'
import { createLogoutDeliveries } from '../../storage/logouts/logout-deliveries.ts'
import { createLogoutTrails, explainLogout } from '../../storage/logouts/logout-trails.ts'
import { silentLog } from '../../storage/testing/silent-log.ts'
import { startLogoutReceiver, type LogoutReceiver } from '../../test-support/logout-receiver.ts'
import { createDeliverLogouts, type DeliverLogoutsOptions } from './deliver-logouts.ts'

let silent: LogoutReceiver
let quick: LogoutReceiver
beforeEach(async () => {
  ;[silent, quick] = await Promise.all([startLogoutReceiver(), startLogoutReceiver()])
  silent.answer = 'silent'
})
afterEach(() => Promise.all([silent.close(), quick.close()]))

function open(options: Partial<DeliverLogoutsOptions> = {}) {
  let time = 1_000_000
  const now = () => (time += 1)
  const driver = createMemoryDriver({ now })
  const deliveries = createLogoutDeliveries({ driver, now })
  const trails = createLogoutTrails(driver)
  const to = ({ uri }: LogoutReceiver) => ({ backchannel_logout_uri: uri }) as ClientConfig
  const clients = { silent: to(silent), quick: to(quick) }
  const signLogoutToken = async () => 'a-token'
  const parts = { clients, deliveries, trails, signLogoutToken, log: silentLog, now }
  const deliver = createDeliverLogouts({ ...parts, ...options })
  const add = async (clientId: string, sid: string) => {
    await trails.save({ endedAt: now(), cause: 'person' }, [{ clientId, sid, way: 'server' }])
    await deliveries.add([{ clientId, sid, accountId: 'a-person' }])
  }
  const explained = async (sid: string) => (await explainLogout(driver, sid))?.apps[0]
  return { deliver, add, explained, pass: (ms: number) => void (time += ms) }
}

it('F73 many sessions of a silent app hold up no other, and each app gets some at a time', async () => {
  const { deliver, add } = open()
  for (let session = 0; session < 60; session += 1) await add('silent', `silent-${session}`)
  for (let session = 0; session < 60; session += 1) await add('quick', `quick-${session}`)
  const since = performance.now()
  const trying = deliver.deliverDue()
  await quick.received(60)
  expect(performance.now() - since).toBeLessThan(4000)
  expect(silent.tokens.length).toBeLessThanOrEqual(10)
  deliver.close()
  await trying
})

it.each([
  [
    'can not sign',
    { signLogoutToken: () => Promise.reject(new Error('the signer is gone')) },
    'no logout token could be signed',
  ],
  ['does not know the app', { clients: {} }, 'no address in the configuration'],
])('a process that %s: said, and tried again for an hour', async (_name, options, reason) => {
  const { deliver, add, explained, pass } = open(options)
  await add('quick', 'a-sid')
  await deliver.deliverDue()
  expect(await explained('a-sid')).toMatchObject({ state: 'failed', attempts: 1, reason })
  for (let minute = 0; minute < 60; minute += 5) {
    pass(300_000)
    await deliver.deliverDue()
  }
  expect(await explained('a-sid')).toMatchObject({ state: 'given_up', reason })
  expect(quick.tokens).toEqual([])
})

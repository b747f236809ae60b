// Device authorization over each store, with two adapters behind one address: every request goes to the other one.
import type { RequestListener } from 'node:http'
import { afterAll, describe, expect, it } from 'vitest'
import { startRedis, type RedisServer } from '../scripts/redis-server.ts'
import { createAdapter } from './server.ts'
import { openDriver } from './storage/open-driver.ts'
import { createDevice, DEVICES } from './test-support/device.ts'
import { useChain } from './test-support/use-chain.ts'

let redis: RedisServer | undefined
afterAll(() => redis?.stop())

const STORES: Record<string, () => Promise<object>> = {
  sqlite: async () => ({ driver: 'sqlite', file: 'adapter.sqlite' }),
  redis: async () => {
    redis = await startRedis()
    return { driver: 'redis', url: redis.url }
  },
}

describe.each(Object.keys(STORES))('over %s, two adapters', (store) => {
  const on = useChain(async () => ({
    config: { clients: DEVICES, storage: await STORES[store]?.() },
  }))

  /** A second process in all but the process: its own connection to the store, nothing else in common. */
  async function alternate(): Promise<() => Promise<void>> {
    const { config, log, secrets, adapter } = on.chain
    const now = () => Date.now()
    const driver = await openDriver(config.storage, { now, log })
    const other = await createAdapter({ config, driver, secrets, version: '0', log, now })
    const handlers: RequestListener[] = [adapter.app, other.app]
    let turn = 0
    on.chain.serve((request, response) => handlers[turn++ % 2]?.(request, response))
    return async () => {
      on.chain.serve(adapter.app)
      await other.close()
      await driver.close()
    }
  }

  it('connect a device, once, whoever is asked', async () => {
    const close = await alternate()
    try {
      const device = createDevice(on.chain.issuer)
      const { body: codes } = await device.start()
      const browser = on.chain.newBrowser()
      const page = await browser.open(codes.verification_uri_complete)
      const question = await browser.submit(page, { user_code: codes.user_code })
      const presses = await Promise.all(
        Array.from({ length: 10 }, () => browser.submit(question, { confirm: 'yes' })),
      )
      const ways = presses.flatMap(({ headers }) => headers.get('refresh')?.split('url=')[1] ?? [])
      expect(ways).toHaveLength(1)
      const done = await on.chain.signIn(browser, new URL(ways[0] ?? '', on.chain.url))
      expect(done.body).toContain('Your device is signed in')
      const polls = await Promise.all(
        Array.from({ length: 50 }, () => device.poll(codes.device_code)),
      )
      // A second use ends what the first was given, which may be before it was.
      const served = polls.filter(({ status }) => status === 200)
      expect(served.length).toBeLessThanOrEqual(1)
      expect((await device.poll(codes.device_code)).status).toBe(400)
    } finally {
      await close()
    }
  })

  it('A51 wrong user codes are counted together, also all at once', async () => {
    const close = await alternate()
    try {
      const { body: codes } = await createDevice(on.chain.issuer).start()
      const browser = on.chain.newBrowser()
      const page = await browser.open(new URL('/device', on.chain.url))
      const guess = (at: number) => `BBBBBB${'BCDFGHJ'[at % 7]}${'BCDFGHJKL'[at % 9]}`
      const answers = await Promise.all(
        Array.from({ length: 30 }, async (_each, at) => {
          // Each from a browser of its own: a wrong code renews the form's protection.
          const own = on.chain.newBrowser()
          const form = await own.open(new URL('/device', on.chain.url))
          return own.submit(form, { user_code: guess(at) })
        }),
      )
      const looked = answers.filter(({ status }) => status === 200)
      expect(looked.length).toBeLessThanOrEqual(20)
      // A store that is too busy to count is one that does not look a code up either.
      const refused = answers.filter(({ status }) => status === 429 || status === 503)
      expect(refused).toHaveLength(answers.length - looked.length)
      for (let at = looked.length; at < 20; at++) {
        const own = on.chain.newBrowser()
        const form = await own.open(new URL('/device', on.chain.url))
        await own.submit(form, { user_code: guess(at) })
      }
      expect((await browser.submit(page, { user_code: codes.user_code })).status).toBe(429)
    } finally {
      await close()
    }
  })
})

// Liveness and readiness over HTTP, with a store that comes and goes.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listen, type Listening } from '../../service/listen.ts'
import { createAdmin } from '../admin-server.ts'
import type { Driver } from '../storage/driver.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { createBreaker } from '../test-support/breakable-driver.ts'
import { createReadiness } from './health.ts'

describe('health', () => {
  const breaker = createBreaker()
  const readiness = createReadiness()
  const api = { token: undefined, routes: {}, host: '127.0.0.1' }
  let driver: Driver
  let server: Listening
  beforeAll(async () => {
    driver = breaker.wrap(createMemoryDriver({}))
    server = await listen(createAdmin({ driver, readiness, api }), {
      host: '127.0.0.1',
      port: 0,
      portSetting: 'PORT',
      graceMs: 100,
    })
  })
  afterAll(async () => {
    await server.close()
    await driver.close()
  })

  const at = async (path: string) => {
    const response = await fetch(server.url + path)
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as unknown,
    }
  }

  it('ready: 200 with every check, and not stored by anybody', async () => {
    const { status, headers, body } = await at('/readyz')
    expect([status, body]).toEqual([
      200,
      { status: 'ready', checks: { storage: true, keys: true, stopping: false } },
    ])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('F20 the store does not answer: 503 and why; alive all the same; ready again with the store', async () => {
    breaker.break()
    expect(await at('/readyz')).toMatchObject({
      status: 503,
      body: { status: 'not_ready', checks: { storage: false } },
    })
    expect(await at('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } })
    breaker.mend()
    expect((await at('/readyz')).status).toBe(200)
  })

  it('F50 about to stop: 503 at once, alive all the same', async () => {
    readiness.stop()
    expect(await at('/readyz')).toMatchObject({
      status: 503,
      body: { checks: { storage: true, stopping: true } },
    })
    expect((await at('/healthz')).status).toBe(200)
  })
})

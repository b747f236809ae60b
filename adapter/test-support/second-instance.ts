// Another adapter beside the one of a chain: its own driver on the same store, its own listener, the same issuer. Test
// code only.
import type { RequestListener } from 'node:http'
import { createAdapter } from '../server.ts'
import { openDriver } from '../storage/open-driver.ts'
import { listen } from '../../service/listen.ts'
import type { Chain } from './chain.ts'

export interface SecondInstance {
  url: string
  close(): Promise<void>
}

/** The store is one that instances share: SQLite or Redis. */
export async function startSecondInstance(chain: Chain): Promise<SecondInstance> {
  const { config, log, secrets } = chain
  const now = () => Date.now()
  const driver = await openDriver(config.storage, { now, log })
  const adapter = await createAdapter({ config, driver, secrets, version: '0', log, now })
  // As behind a balancer: requests say the issuer's host, and fetch can not.
  const handler: RequestListener = (request, response) => {
    request.headers.host = new URL(config.issuer).host
    adapter.app(request, response)
  }
  const listening = await listen(handler, {
    host: '127.0.0.1',
    port: 0,
    portSetting: 'PORT',
    graceMs: 100,
  })
  const close = async () => {
    await listening.close()
    await adapter.close()
    await driver.close()
  }
  return { url: listening.url, close }
}

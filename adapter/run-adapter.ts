// What the process does: configuration → storage → secrets → server → listen, and the same way back on SIGTERM.
import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { loadConfig } from './config/load-config.ts'
import type { Config } from './config/schema.ts'
import { StorageError } from './errors.ts'
import { openAdminToken } from './admin/admin-token.ts'
import { createReadiness } from './admin/health.ts'
import { openSecrets } from './secrets.ts'
import {
  createAdapter,
  createAdmin,
  createWaiting,
  type Adapter,
  type AdapterOptions,
  type AdminOptions,
} from './server.ts'
import { openDriver } from './storage/open-driver.ts'
import { listen, type Listening } from '../service/listen.ts'
import { createLog, type Log } from '../service/log.ts'
import { onShutdown } from '../service/shutdown.ts'
import packageJson from '../package.json' with { type: 'json' }

const { version } = packageJson

export interface RunOptions {
  configFile?: string | undefined
  env: Readonly<Record<string, string | undefined>>
}

const STORE_RETRY_MS = 200

/**
 * Serves until a signal comes.
 * @throws ConfigError, StorageError `unusable`, ListenError: the adapter can not start, and the message says why
 */
export async function runAdapter({ configFile, env }: RunOptions): Promise<void> {
  const startedAt = performance.now()
  const { config } = loadConfig({ file: configFile, env })
  const log = createLog({ level: config.log.level })
  const now = Date.now
  const driver = await openDriver(config.storage, { now, log })
  const open = () => openAdapter({ config, driver, log, now })
  let adapter = await open().catch(unlessUnavailable)
  const waiting = adapter ? undefined : createWaiting({ config, log, version })
  const readiness = createReadiness({ hasKeys: () => adapter !== undefined })
  const token = await openAdminToken({ config, env })
  const admin = await listenAdmin(config, { driver, readiness, token, routes: {}, log })
  const handler: RequestListener = (request, response) =>
    void (adapter?.app ?? waiting)?.(request, response)
  const main = await listen(handler, {
    ...config.listen,
    log,
    portSetting: 'listen.port (AUTH_ADAPTER_LISTEN__PORT)',
  })
  stopInOrder({
    main,
    admin,
    log,
    drainMs: config.listen.drain * 1000,
    stopping: readiness.stop,
    closers: [async () => adapter?.close(), driver.close],
  })
  log.info('listening', {
    url: main.url,
    admin_url: admin.url,
    issuer: config.issuer,
    storage: driver.kind,
    version,
    ms: Math.round(performance.now() - startedAt),
  })
  adapter ??= await whenStoreAnswers(open)
}

type AdminParts = Pick<AdminOptions, 'driver' | 'readiness'> & Omit<AdminOptions['api'], 'host'>

function listenAdmin({ admin }: Config, parts: AdminParts & { log: Log }): Promise<Listening> {
  const { driver, readiness, log, token, routes } = parts
  const api = { token, routes, host: admin.host, log }
  const portSetting = 'admin.port (AUTH_ADAPTER_ADMIN__PORT)'
  return listen(createAdmin({ driver, readiness, api }), { ...admin, log, portSetting })
}

type Opening = Pick<AdapterOptions, 'config' | 'driver' | 'log' | 'now'>

async function openAdapter(opening: Opening): Promise<Adapter> {
  const { config, driver } = opening
  const secrets = await openSecrets({
    config,
    driver,
    sealingKeyFile: join(config.data, 'sealing.key'),
  })
  return createAdapter({ ...opening, secrets, version })
}

/** A store that does not answer now may do so later; anything else keeps the adapter from starting. */
function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof StorageError && error.code === 'unavailable')) throw error
}

async function whenStoreAnswers(open: () => Promise<Adapter>): Promise<Adapter> {
  for (;;) {
    await sleep(STORE_RETRY_MS)
    const opened = await open().catch(unlessUnavailable)
    if (opened) return opened
  }
}

interface Running {
  main: Listening
  admin: Listening
  log: Log
  drainMs: number
  stopping: () => void
  closers: (() => Promise<void>)[]
}

/** Not ready at once; what runs is finished; then sockets and files close (F50). */
function stopInOrder({ main, admin, log, drainMs, stopping, closers }: Running): void {
  onShutdown({ log }, async () => {
    stopping()
    await sleep(drainMs)
    await Promise.all([main.close(), admin.close()])
    for (const close of closers) await close()
  })
}

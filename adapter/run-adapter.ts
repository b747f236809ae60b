// What the process does: configuration → storage → secrets → server → listen, and the same way back on SIGTERM.
import type { RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import type { Config } from './config/schema.ts'
import { StorageError } from './errors.ts'
import type { AdminRoutes } from './admin/admin-api.ts'
import { openAdminToken, type AdminTokenOptions } from './admin/admin-token.ts'
import { createReadiness, type Readiness } from './admin/health.ts'
import { createDraftTests, type DraftTests } from './draft/draft-tests.ts'
import { openAudit, type OpenedAudit } from './mount-audit.ts'
import { draftApi } from './mount-drafts.ts'
import { keepKeys } from './mount-keys.ts'
import type { KeyKeeper } from './provider/keys/ring/key-keeper.ts'
import { keyRoutes, type RunningKeys } from './provider/keys/key-routes.ts'
import { forgetRoutes } from './logout/forget/forget-routes.ts'
import { sessionRoutes } from './logout/session-routes.ts'
import { openConfigSource, type ConfigSource } from './reload/config-source.ts'
import { endRevoked } from './reload/end-revoked.ts'
import { contentsOf, generationId } from './reload/generation-id.ts'
import { createGenerations, type Generations } from './reload/generations.ts'
import { createReload, type Reload } from './reload/reload.ts'
import { reloadRoutes } from './reload/reload-routes.ts'
import { swapRoutes } from './swap/swap-routes.ts'
import { openSecrets } from './secrets.ts'
import { createAdmin, type AdminOptions } from './admin-server.ts'
import { createAdapter, createWaiting, type AdapterOptions } from './server.ts'
import { openDriver } from './storage/open-driver.ts'
import { listen, type Listening } from '../service/listen.ts'
import { createLog, type AdjustableLog, type Log } from '../service/log.ts'
import { onShutdown } from '../service/shutdown.ts'
import packageJson from '../package.json' with { type: 'json' }

const { version } = packageJson

export interface RunOptions {
  configFile?: string | undefined
  env: Readonly<Record<string, string | undefined>>
}

const STORE_RETRY_MS = 200
const TELL_APPS_EVERY_MS = 5000

/**
 * Serves until a signal comes.
 * @throws ConfigError, StorageError `unusable`, ListenError: the adapter can not start, and the message says why
 */
export async function runAdapter({ configFile, env }: RunOptions): Promise<void> {
  const startedAt = performance.now()
  const source = openConfigSource({ file: configFile, env })
  const { config } = source.loaded
  const now = Date.now
  const { log, ...audit } = openAudit(config, { log: createLog({ level: config.log.level }), now })
  const driver = await openDriver(config.storage, { now, log })
  const drafts = createDraftTests({ now })
  const open = () => openRunning({ source, driver, audit, log, now, drafts })
  let running = await open().catch(unlessUnavailable)
  const waiting = running ? undefined : createWaiting({ config, log, version })
  const readiness = createReadiness({ hasKeys: () => running !== undefined })
  const routes = apiRoutes(() => running, drafts, { config, driver, audit, now, log })
  const admin = await listenAdmin({ config, env }, { driver, readiness, routes, log })
  const handler: RequestListener = (request, response) =>
    void (running?.generations.handler ?? waiting)?.(request, response)
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
    stopping: noMoreOf(readiness, drafts),
    closers: [source.close, async () => running?.close(), audit.close, driver.close],
  })
  log.info('listening', {
    url: main.url,
    admin_url: admin.url,
    issuer: config.issuer,
    storage: driver.kind,
    version,
    ms: Math.round(performance.now() - startedAt),
  })
  running ??= await whenStoreAnswers(open)
  source.onChange((trigger) => void running?.reload(trigger))
}

interface ApiParts extends Pick<AdapterOptions, 'config' | 'driver' | 'now' | 'log'> {
  audit: Pick<OpenedAudit, 'pseudonym' | 'settle'>
}

function apiRoutes(
  running: () => Running | undefined,
  drafts: DraftTests,
  { driver, audit, ...parts }: ApiParts,
): AdminRoutes {
  return {
    ...reloadRoutes(() => running()?.reload),
    ...swapRoutes({ driver, config: () => running()?.generations.current.config }),
    ...sessionRoutes({ driver, ...audit, log: parts.log, inForce: () => inForce(running()) }),
    ...forgetRoutes({ driver, ...audit, ...parts, inForce: () => inForce(running()) }),
    ...draftApi(drafts, parts),
    ...keyRoutes({ ...parts, keys: () => running()?.keys }),
  }
}

function inForce(running: Running | undefined) {
  if (!running) return undefined
  const { config, adapter } = running.generations.current
  return { config, ...adapter.logout }
}

type AdminParts = Pick<AdminOptions, 'driver' | 'readiness'> & Pick<AdminOptions['api'], 'routes'>

async function listenAdmin(
  { config, env }: AdminTokenOptions,
  { driver, readiness, routes, log }: AdminParts & { log: Log },
): Promise<Listening> {
  const token = await openAdminToken({ config, env })
  const api = { token, routes, host: config.admin.host, log }
  const portSetting = 'admin.port (AUTH_ADAPTER_ADMIN__PORT)'
  return listen(createAdmin({ driver, readiness, api }), { ...config.admin, log, portSetting })
}

interface Opening extends Pick<AdapterOptions, 'driver' | 'now' | 'drafts'> {
  source: ConfigSource
  audit: Pick<OpenedAudit, 'use'>
  log: AdjustableLog
}

interface Running {
  generations: Generations
  keys: RunningKeys
  reload: Reload
  close(): Promise<void>
}

async function openRunning({ source, audit, log, ...parts }: Opening): Promise<Running> {
  const { config } = source.loaded
  const sealingKeyFile = join(config.data, 'sealing.key')
  const secrets = await openSecrets({ config, ...parts, sealingKeyFile, log })
  audit.use({ driver: parts.driver, key: secrets.subjectKey })
  const build = (next: Config, generation: string) =>
    createAdapter({ ...parts, config: next, generation, secrets, version, log })
  const key = secrets.cookieKeys[0] as string
  const id = generationId(config, contentsOf(config), key)
  const generations = createGenerations({ id, config, adapter: await build(config, id) })
  keepTellingApps(generations)
  const onTaken = (taken: Config) => endRevoked({ driver: parts.driver, config: taken, log })
  void onTaken(config)
  const keeper = keepKeys({ ...parts, secrets, log, generations, build })
  const reload = createReload({ ...source, generations, build, onTaken, key, log })
  return { generations, keys: secrets, reload, close: closing(keeper, generations) }
}

function closing(keeper: KeyKeeper, generations: Generations): Running['close'] {
  return () => {
    keeper.close()
    return generations.close()
  }
}

/** A store that does not answer now may do so later; anything else keeps the adapter from starting. */
function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof StorageError && error.code === 'unavailable')) throw error
}

async function whenStoreAnswers(open: () => Promise<Running>): Promise<Running> {
  for (;;) {
    await sleep(STORE_RETRY_MS)
    const opened = await open().catch(unlessUnavailable)
    if (opened) return opened
  }
}

/** Apps that did not take their logout tokens at once. A closed adapter tells nobody. */
function keepTellingApps(generations: Generations): void {
  setInterval(() => generations.current.adapter.logout.deliver.wake(), TELL_APPS_EVERY_MS).unref()
}

function noMoreOf(readiness: Readiness, drafts: DraftTests): () => void {
  return () => {
    readiness.stop()
    // A command that waits for a test would keep the admin listener open.
    void drafts.close()
  }
}

interface Stopping {
  main: Listening
  admin: Listening
  log: Log
  drainMs: number
  stopping: () => void
  closers: (() => Promise<void>)[]
}

/** Not ready at once; what runs is finished; then sockets and files close (F50). */
function stopInOrder({ main, admin, log, drainMs, stopping, closers }: Stopping): void {
  onShutdown({ log }, async () => {
    stopping()
    main.drain()
    await sleep(drainMs)
    await Promise.all([main.close(), admin.close()])
    for (const close of closers) await close()
  })
}

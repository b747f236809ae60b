// The chain for tests, in this process and over real HTTP: the upstream test server, the adapter with its real storage,
// and a log that is kept. The apps are what app.ts makes; nothing listens at their addresses.
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditEntry } from '../audit/audit.ts'
import { loadConfig } from '../config/load-config.ts'
import type { Config } from '../config/schema.ts'
import type { AdminRoutes } from '../admin/admin-api.ts'
import { forgetRoutes } from '../logout/forget/forget-routes.ts'
import { sessionRoutes } from '../logout/session-routes.ts'
import { createDraftTests } from '../draft/draft-tests.ts'
import { draftApi } from '../mount-drafts.ts'
import { openAudit, type OpenedAudit } from '../mount-audit.ts'
import { createReadiness, type Readiness } from '../admin/health.ts'
import { openSecrets, type Secrets } from '../secrets.ts'
import { createAdmin } from '../admin-server.ts'
import { createAdapter, type Adapter } from '../server.ts'
import type { Driver } from '../storage/driver.ts'
import { openDriver } from '../storage/open-driver.ts'
import { listen, type Listening } from '../../service/listen.ts'
import { createLog, type AdjustableLog, type Log, type LogLevel } from '../../service/log.ts'
import {
  startUpstreamTestServer,
  type RunningUpstreamTestServer,
} from '../../upstream-test-server/start.ts'
import {
  createControlClient,
  type ControlClient,
} from '../../upstream-test-server/control-client.ts'
import { createApp, type App } from './app.ts'
import { createBrowser, type Browser, type NavigateOptions, type Visit } from './browser.ts'

export interface Setting {
  [name: string]: unknown
}

export interface ChainOptions {
  /** Default: memory. */
  storage?: 'memory' | 'sqlite'
  /** Merged into the demo's settings, maps at every depth. */
  config?: Setting
  /** Other identity providers by name; each is asked with the demo's credentials. */
  upstreams?: Readonly<Record<string, string>>
  logLevel?: LogLevel
  /** Security events go to `audit.jsonl` in the folder, and to the store. */
  isAudited?: boolean
  /** Addresses whose X-Forwarded-For the upstream believes. */
  upstreamTrusts?: readonly string[]
  /** Wraps what the storage settings open. */
  wrapDriver?: (driver: Driver) => Driver
}

export interface Chain {
  readonly issuer: string
  /** Where the adapter listens; the issuer unless `config` says otherwise. */
  readonly url: string
  readonly adminUrl: string
  readonly upstreamIssuer: string
  /** Tells the upstream what to do. */
  readonly upstreamControl: ControlClient
  /** What the process would do from time to time: logout tokens that are due. */
  readonly adapter: Adapter
  readonly config: Config
  /** What `config` was made of, as JSON. */
  readonly configFile: string
  readonly log: AdjustableLog
  readonly driver: Driver
  readonly secrets: Secrets
  readonly readiness: Readiness
  /** Of the adapter's files. */
  readonly folder: string
  /** One JSON line each. */
  readonly logLines: string[]
  /** Of the upstream test server. */
  readonly upstreamLogLines: string[]
  readonly app: App
  readonly secondApp: App
  newBrowser(): Browser
  /** Goes where the app sends it, signs in upstream, and comes back. */
  signIn(
    browser: Browser,
    url: string | URL,
    username?: string,
    options?: NavigateOptions,
  ): Promise<Visit>
  events(name: string): Record<string, unknown>[]
  /** Where `isAudited`: the security events so far. */
  auditEntries(): AuditEntry[]
  /** Puts another adapter in the place of this one. */
  serve(handler: RequestListener): void
  /** Ends the adapter and starts another on the same port and storage. */
  restart(): Promise<void>
  close(): Promise<void>
}

export const UPSTREAM = 'test-auth-server'
export const ADMIN_TOKEN = 'admin-token-of-the-chain-in-tests'
const CHEAP = { memoryKib: 8, passes: 1, parallelism: 1 }
const NO_AUDIT = { pseudonym: () => undefined, settle: async () => undefined }
const APPS = {
  client: { secret: 'secret', redirectUri: 'http://127.0.0.1:8080/login/oauth2/code/auth-adapter' },
  'second-client': {
    secret: 'second-secret',
    redirectUri: 'http://127.0.0.1:8081/login/oauth2/code/auth-adapter',
  },
}
const notReady: RequestListener = (_request, response) => void response.writeHead(503).end()

/** The port is taken before the handler is known: the issuer is part of the configuration. */
async function openPort(): Promise<Listening & { serve(handler: RequestListener): void }> {
  let handler = notReady
  const listening = await listen((request, response) => handler(request, response), {
    host: '127.0.0.1',
    port: 0,
    portSetting: 'PORT',
    graceMs: 100,
  })
  return { ...listening, serve: (next) => void (handler = next) }
}

function upstreamSettings(issuer: string, isBare: boolean): Setting {
  return {
    kind: 'oidc',
    issuer,
    client_id: 'test-client',
    client_secret: 'test-secret',
    scope: 'openid profile',
    subject: isBare ? 'bare' : 'prefixed',
    claims: {
      test_auth_server_sub: 'sub',
      preferred_username: 'preferred_username',
      name: 'name',
      authorities: {
        from: 'roles',
        values: { user: 'ROLE_USER', admin: 'ROLE_ADMIN' },
        default: ['ROLE_USER'],
      },
    },
  }
}

function clientSettings(id: keyof typeof APPS): Setting {
  const { secret, redirectUri } = APPS[id]
  const start = `${new URL(redirectUri).origin}/`
  return {
    client_name: `App ${id}`,
    client_uri: start,
    client_secret: secret,
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [start],
    scope: 'openid profile read',
  }
}

const isMap = (value: unknown): value is Setting =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Maps at every depth. */
export function merged(base: Setting, changes: Setting): Setting {
  const entries = Object.entries(changes).map(([name, value]) => {
    const old = base[name]
    return [name, isMap(old) && isMap(value) ? merged(old, value) : value] as const
  })
  return { ...base, ...Object.fromEntries(entries) }
}

/** Node's own JSON is YAML too. */
function configFrom(
  options: ChainOptions,
  { issuer, upstreamIssuer, folder }: { issuer: string; upstreamIssuer: string; folder: string },
): Config {
  const others = Object.entries(options.upstreams ?? {}).map(
    ([name, url]) => [name, upstreamSettings(url, false)] as const,
  )
  const base = {
    issuer,
    data: folder,
    storage:
      options.storage === 'sqlite'
        ? { driver: 'sqlite', file: join(folder, 'adapter.sqlite') }
        : { driver: 'memory' },
    upstreams: {
      [UPSTREAM]: upstreamSettings(upstreamIssuer, true),
      ...Object.fromEntries(others),
    },
    default_upstream: UPSTREAM,
    clients: { client: clientSettings('client'), 'second-client': clientSettings('second-client') },
  }
  const file = join(folder, 'auth-adapter.yaml')
  writeFileSync(file, JSON.stringify(merged(base, options.config ?? {}), null, 2))
  return loadConfig({ file, env: {} }).config
}

interface Running {
  driver: Driver
  secrets: Secrets
  adapter: Adapter
  adminRoutes: AdminRoutes
  close(): Promise<void>
}

async function runAdapter({
  config,
  folder,
  log,
  audit,
  wrapDriver = (driver) => driver,
}: {
  config: Config
  folder: string
  log: Log
  audit: OpenedAudit | undefined
  wrapDriver?: ChainOptions['wrapDriver']
}): Promise<Running> {
  const now = () => Date.now()
  const driver = wrapDriver(await openDriver(config.storage, { now, log }))
  const sealingKeyFile = join(folder, 'sealing.key')
  const secrets = await openSecrets({ config, driver, sealingKeyFile, log, now })
  audit?.use({ driver, key: secrets.subjectKey })
  const drafts = createDraftTests({ now })
  const version = '0.0.0-test'
  const adapter = await createAdapter({ config, driver, secrets, version, log, now, drafts })
  const close = async () => {
    await Promise.all([adapter.close(), drafts.close()])
    secrets.closeKeys()
    await driver.close()
  }
  const inForce = () => ({ config, ...adapter.logout })
  const adminRoutes = {
    ...draftApi(drafts, { config, now, log }),
    ...sessionRoutes({ driver, log, inForce, ...(audit ?? NO_AUDIT) }),
    ...forgetRoutes({ driver, inForce, log, now, ...(audit ?? NO_AUDIT) }),
  }
  return { driver, secrets, adapter, adminRoutes, close }
}

function startUpstream(
  issuer: string,
  { upstreamTrusts: trustedProxies, logLevel = 'info' }: ChainOptions,
  lines: string[],
): Promise<RunningUpstreamTestServer> {
  const redirectUris = [`${issuer}/login/oauth2/code/${UPSTREAM}`]
  const postLogoutRedirectUris = [`${issuer}/logout/callback/${UPSTREAM}`]
  const secret = { clientId: 'test-client', clientSecret: 'test-secret' }
  const client = { ...secret, redirectUris, postLogoutRedirectUris }
  const worker = { clientId: 'worker', clientSecret: 'worker-secret', redirectUris: [] }
  return startUpstreamTestServer({
    databaseFile: ':memory:',
    passwordCost: CHEAP,
    clients: [client, { ...worker, serviceAudiences: ['logging-backend'] }],
    controlPort: 0,
    trustedProxies,
    log: createLog({
      level: logLevel,
      pretty: false,
      destination: { write: (line) => lines.push(line) },
    }),
  })
}

/** Starts all of it on free ports. The clock of all parts is `Date`, so that a test can move it. */
export async function startChain(options: ChainOptions = {}): Promise<Chain> {
  const folder = await mkdtemp(join(tmpdir(), 'auth-adapter-chain-'))
  const [port, adminPort] = await Promise.all([openPort(), openPort()])
  const issuer = port.url
  const upstreamLogLines: string[] = []
  const upstream = await startUpstream(issuer, options, upstreamLogLines)
  const upstreamIssuer = upstream.issuer
  const logLines: string[] = []
  const plainLog = createLog({
    level: options.logLevel ?? 'info',
    pretty: false,
    destination: { write: (line) => logLines.push(line) },
  })
  const auditFile = join(folder, 'audit.jsonl')
  const audit = options.isAudited
    ? openAudit(
        { audit: { file: auditFile, keep: 3600 } },
        { log: plainLog, now: Date.now, flushMs: 100 },
      )
    : undefined
  const log = audit?.log ?? plainLog
  const config = configFrom(options, { issuer, upstreamIssuer, folder })
  const readiness = createReadiness()
  const origins = [issuer, upstreamIssuer, ...Object.values(options.upstreams ?? {})]
  let running: Running

  async function run(): Promise<void> {
    running = await runAdapter({ config, folder, log, audit, wrapDriver: options.wrapDriver })
    port.serve(running.adapter.app)
    const api = { token: ADMIN_TOKEN, routes: running.adminRoutes, host: '127.0.0.1', log }
    adminPort.serve(createAdmin({ driver: running.driver, readiness, api }))
  }

  async function signIn(
    browser: Browser,
    url: string | URL,
    username = 'testuser',
    navigate: NavigateOptions = {},
  ): Promise<Visit> {
    const page = await browser.open(url, navigate)
    if (page.url.origin !== upstreamIssuer || page.url.pathname !== '/login')
      throw new Error(
        `Expected the login page, got ${page.status} ${page.url.origin}${page.url.pathname}`,
      )
    const done = await browser.submit(page, { username, password: 'password' }, navigate)
    return { ...done, hops: [...page.hops, ...done.hops] }
  }

  await run()
  return {
    issuer: config.issuer,
    url: issuer,
    adminUrl: adminPort.url,
    upstreamIssuer,
    config,
    configFile: join(folder, 'auth-adapter.yaml'),
    log,
    serve: port.serve,
    upstreamControl: createControlClient(upstream.controlUrl ?? ''),
    get adapter() {
      return running.adapter
    },
    get driver() {
      return running.driver
    },
    get secrets() {
      return running.secrets
    },
    readiness,
    folder,
    logLines,
    upstreamLogLines,
    app: createApp({ issuer, clientId: 'client', ...APPS.client }),
    secondApp: createApp({ issuer, clientId: 'second-client', ...APPS['second-client'] }),
    newBrowser: () => createBrowser(origins),
    signIn,
    events: (name) =>
      logLines
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter(({ event }) => event === name),
    auditEntries: () =>
      readFileSync(auditFile, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as AuditEntry),
    async restart() {
      port.serve(notReady)
      await running.close()
      await run()
    },
    async close() {
      await Promise.all([port.close(), adminPort.close(), upstream.close(), audit?.close()])
      await running.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

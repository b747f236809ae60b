// The composition root: builds each room, hands it what it needs, and mounts its routes in one readable list.
import express, { type Express } from 'express'
import type { Config } from './config/schema.ts'
import type { DraftTests } from './draft/draft-tests.ts'
import { createErrorHandler } from './error-handler.ts'
import { StorageError } from './errors.ts'
import { createHooks, type Hooks } from './hooks/hooks.ts'
import {
  createUpstreamChooser,
  type UpstreamChooser,
} from './interaction/choose/choose-upstream.ts'
import {
  createConsentRoutes,
  type ConsentRouteOptions,
} from './interaction/consent/consent-routes.ts'
import { createConsents } from './storage/consents/consents.ts'
import {
  createChooserRoutes,
  type ChooserRouteOptions,
} from './interaction/choose/choose-upstream-routes.ts'
import { createSessionContext } from './interaction/context/session-context.ts'
import { createInteractionUrl } from './interaction/interaction-url.ts'
import { createLoginBinding, type LoginBinding } from './interaction/login-binding.ts'
import { createLoginRoutes } from './interaction/login-routes.ts'
import { stylesheet } from './pages/styles.ts'
import { createMapIdentity } from './interaction/map-identity.ts'
import { createClientSubjects } from './provider/people/client-subjects.ts'
import { cookieNames } from './provider/cookie-names.ts'
import { createProvider } from './provider/create-provider.ts'
import { createUserinfo } from './provider/endpoints/userinfo.ts'
import { draftRoutes } from './mount-drafts.ts'
import { openLifecycle } from './mount-lifecycle.ts'
import { providerRoutes } from './mount-provider.ts'
import { openLogout, type Logout } from './mount-logout.ts'
import type { Secrets } from './secrets.ts'
import type { Driver } from './storage/driver.ts'
import { createIdentities, type Identity } from './storage/sessions/identities.ts'
import { createLoginTransactions } from './storage/tokens/login-transactions.ts'
import { createProviderAdapter } from './storage/provider/provider-adapter.ts'
import { createSubjectAliases } from './storage/sessions/subject-aliases.ts'
import { createUnitOfWork, type UnitOfWork } from './storage/unit-of-work.ts'
import { createStandingOf } from './storage/sessions/upstream-epoch.ts'
import { createUpstreamSessions } from './storage/sessions/upstream-session.ts'
import { createUpstreams } from './upstream/upstreams.ts'
import { forwardedHeaders } from '../service/forwarded.ts'
import { hostCheck } from '../service/host-check.ts'
import type { Log } from '../service/log.ts'
import { requestLog } from '../service/request-log.ts'
import { securityHeaders } from '../service/security-headers.ts'
import { trustedProxies } from '../service/trusted-proxies.ts'
import { urlLimits } from '../service/url-limits.ts'

export interface AdapterOptions {
  config: Config
  driver: Driver
  secrets: Secrets
  version: string
  log: Log
  /** Epoch milliseconds. */
  now: () => number
  /** Test logins with draft configurations; absent, there are none. */
  drafts?: DraftTests | undefined
  /** Names this configuration, for logins to remember which one they began with. */
  generation?: string
}

export interface Adapter {
  app: Express
  /** Which configuration the login `uid` of this browser began with. */
  generationOf(uid: string, cookieHeader: string | undefined): string | undefined
  logout: Pick<Logout, 'endSessions' | 'tellApps' | 'deliver'>
  close(): Promise<void>
}

/** Everything behind the public listener. */
export async function createAdapter(options: AdapterOptions): Promise<Adapter> {
  const { config, secrets, log, now } = options
  const { isOutdated, ...records } = openRecords(options)
  const upstreams = createUpstreams({ ...config, now, log })
  const binding = bindLogins(options)
  const errors = createErrorHandler({ config, log, binding })
  const chooser = createUpstreamChooser(config)
  const people = knowPeople(options, records)
  const logout = openLogout(options, { ...records, upstreams, provider: () => provider })
  const lifecycle = openLifecycle(options, { ...people, ...logout, upstreams })
  const { provider, tokens } = await createProvider({
    ...options,
    ...secrets,
    ...records,
    interactionUrl: createInteractionUrl({ ...config, chooser, binding }),
    ...beforeLogin(config, chooser, isOutdated),
    subjects: people.subjects,
    signOut: logout.signOut,
    lifecycle,
    showError: errors.provider,
  })
  const parts = { interactions: provider.Interaction, upstreams, chooser, binding }
  const loginRoutes = createLoginRoutes({
    ...loginSettings(config),
    ...parts,
    provider,
    ...(await withHooks({ ...people, ...lifecycle })),
    log,
    now,
    ...records,
  })
  const userinfo = createUserinfo({ provider, tokens, log, now })
  const app = createFront(options, errors)
  app.use(draftRoutes(options, records.unitOfWork.driver))
  app.use(questions({ ...records, ...parts, ...secrets, config, log }), logout.routes)
  app.use(loginRoutes, providerRoutes(provider.callback(), userinfo))
  app.use(errors.notFound, errors.express)
  const close = closing(people.hooks, logout.deliver, upstreams)
  return { app, generationOf: generationBy(binding), logout, close }
}

/** What a person may be asked on the way. */
function questions(parts: ConsentRouteOptions & ChooserRouteOptions) {
  return [createConsentRoutes(parts), createChooserRoutes(parts)]
}

/** As late as can be: the processes of hooks need an adapter that ends them. */
async function withHooks<People extends { hooks: Hooks }>(people: People): Promise<People> {
  await people.hooks.start()
  return people
}

function closing(hooks: Hooks, deliver: { close(): void }, upstreams: { close(): Promise<void> }) {
  return async () => {
    hooks.close()
    deliver.close()
    await upstreams.close()
  }
}

/** Who people are to us, and to each client. */
function knowPeople(
  { config, secrets, log }: AdapterOptions,
  { unitOfWork }: { unitOfWork: UnitOfWork },
) {
  const subjects = createClientSubjects({ clients: config.clients, ...secrets })
  const aliases = createSubjectAliases(unitOfWork.driver)
  const hooks = createHooks({ ...config, log })
  const upstreamSessions = createUpstreamSessions(secrets.sealing)
  const mapIdentity = createMapIdentity({
    ...config,
    aliases,
    runHook: hooks.run,
    upstreamSessions,
  })
  return { subjects, subjectFor: subjects.subjectFor, hooks, mapIdentity }
}

/** What decides whether a session answers a request, and where a login goes. */
function beforeLogin(
  config: Config,
  chooser: UpstreamChooser,
  isOutdated: (identity: Identity) => boolean,
) {
  const requestedContext = createSessionContext(config, chooser)
  return { upstreamChoice: { ...chooser, isOutdated }, requestedContext }
}

function loginSettings({ issuer, upstreams: upstreamConfigs, login }: Config) {
  return { issuer, upstreamConfigs, ttlSeconds: login.ttl }
}

function generationBy(binding: LoginBinding): Adapter['generationOf'] {
  return (uid, cookieHeader) => binding.find(uid, cookieHeader)?.generation
}

function openRecords({ config, driver, now }: AdapterOptions) {
  const unitOfWork = createUnitOfWork(driver, { now })
  const standingOf = createStandingOf(config.upstreams)
  const isVouchedFor = (identity: Identity) => standingOf(identity) !== 'void'
  return {
    isOutdated: (identity: Identity) => standingOf(identity) === 'outdated',
    unitOfWork,
    identities: createIdentities(unitOfWork.driver, { isVouchedFor }),
    transactions: createLoginTransactions(unitOfWork.driver),
    consents: createConsents(unitOfWork.driver),
    adapter: createProviderAdapter({ driver: unitOfWork.driver }),
  }
}

function bindLogins({ config, secrets, now, generation }: AdapterOptions): LoginBinding {
  const isHttps = config.issuer.startsWith('https:')
  const resumeCookie = cookieNames(isHttps).resume
  const ttlSeconds = config.login.ttl
  const keys = secrets.cookieKeys
  return createLoginBinding({ keys, isHttps, resumeCookie, ttlSeconds, now, generation })
}

type FrontOptions = Pick<AdapterOptions, 'config' | 'version' | 'log'>

/** What stands before every room. */
function createFront(
  { config, version, log }: FrontOptions,
  errors: ReturnType<typeof createErrorHandler>,
): Express {
  const trusted = trustedProxies(config.trusted_proxies)
  const app = express().disable('x-powered-by').disable('etag')
  app.use(requestLog({ log, trusted }))
  app.use(forwardedHeaders({ trusted }))
  app.use(securityHeaders({ https: config.issuer.startsWith('https:') }))
  app.get('/ping', (_request, response) => void response.json({ status: 'pong', version }))
  // Before the checks: the pages of what they refuse have it too.
  app.get(
    stylesheet.path,
    (_request, response) => void response.set(stylesheet.headers).send(stylesheet.body),
  )
  app.use(hostCheck({ url: config.issuer, trusted, log, refuse: errors.refuse }))
  app.use(urlLimits({ refuse: errors.refuse }))
  return app
}

/** The public listener of an adapter whose store, and the keys in it, have not answered since the start: 503 to all. */
export function createWaiting(options: FrontOptions): Express {
  const errors = createErrorHandler({ ...options, binding: { find: () => undefined } })
  const app = createFront(options, errors)
  app.use(() => {
    throw new StorageError('unavailable', 'The store has not answered since the start')
  })
  app.use(errors.express)
  return app
}

// One issuer and all that is its own: people, keys, sessions, faults, journal. server.ts mounts it at its path.
import { Router } from 'express'
import type { RequestHandler } from 'express'
import type { Log } from '../../service/log.ts'
import { acceptOfflineAccess } from '../behaviour/refresh.ts'
import { behavingStorage } from '../behaviour/storage.ts'
import { issueTokens } from '../behaviour/tokens/issue-tokens.ts'
import type { SigningKey } from '../behaviour/tokens/key-ring.ts'
import { createLogoutTokens } from '../behaviour/tokens/logout-token.ts'
import type { LogoutTokens } from '../behaviour/tokens/logout-token.ts'
import { tellClientsOfLogout } from '../behaviour/tokens/tell-clients.ts'
import { breakAnswersOf, breakEndpoints } from '../behaviour/faults/break-endpoint.ts'
import { createScenario } from '../behaviour/scenario.ts'
import type { Scenario } from '../behaviour/scenario.ts'
import { openDatabase } from '../database.ts'
import { createLoginRouter } from '../login.ts'
import { createIdentity } from '../identity/identity.ts'
import type { Identity } from '../identity/identity.ts'
import { createAuthSessions } from '../identity/store/auth-sessions.ts'
import type { AuthSessions } from '../identity/store/auth-sessions.ts'
import { seedIdentity } from '../identity/store/seed-identity.ts'
import type { PasswordCost } from '../people/password.ts'
import type { SeedUser } from '../people/seed-users.ts'
import { createSessions } from '../people/sessions.ts'
import type { Sessions } from '../people/sessions.ts'
import { createUsers } from '../people/users.ts'
import type { Users } from '../people/users.ts'
import { createInteractionBinding } from '../provider/interaction-binding.ts'
import { loadKeys } from '../provider/keys.ts'
import { createProviderStorage, withLatency } from '../provider/provider-adapter.ts'
import { createProvider } from '../provider/provider.ts'
import { applyQuirks, quirkHandlers, scenarioWith } from './quirks/quirks.ts'
import type { Quirks } from './quirks/quirks.ts'
import type { UpstreamClient } from '../provider/provider.ts'
import { offerServiceTokens } from '../token-service/service-tokens.ts'

export interface IssuerOptions {
  /** Its path without the slash; empty for the one at the root of the origin. */
  key: string
  /** As it stands in tokens: the origin, and `/<key>` where there is one. */
  issuer: string
  /** What people read on its pages. */
  serverName: string
  clients: readonly UpstreamClient[]
  /** Empty: strict. */
  quirks: Quirks
  /** Who is there on first start. */
  people: readonly SeedUser[]
  /** SQLite file of this issuer alone, or `:memory:` for nothing that stays. */
  databaseFile: string
  passwordCost: PasswordCost
  storageLatencyMilliseconds: number
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export interface Issuer {
  key: string
  issuer: string
  /** Expects paths without the issuer's own, as an Express mount gives them. */
  handler: RequestHandler
  users: Users
  quirks: Quirks
  /** What is switched here; strict by itself. */
  scenario: Scenario
  sessions: Sessions
  /** Those of the identity service; absent where the issuer has none. */
  authSessions?: Pick<AuthSessions, 'find' | 'revokeAllOf'>
  /** Absent where the issuer is no OpenID Provider. */
  logoutTokens?: LogoutTokens
  /** Ends timers and closes the database. */
  close(): void
}

const collectEveryMilliseconds = 60_000

// Cookies go to every path below theirs, so those of the root's issuer reach all the others.
const cookiePrefixOf = (key: string) =>
  `${(key || 'test').toUpperCase().replaceAll('-', '_')}_AUTH_SERVER`

async function openParts(options: IssuerOptions) {
  const { key, people, passwordCost, now, storageLatencyMilliseconds: latency } = options
  const database = openDatabase(options.databaseFile)
  const [keys, users] = await Promise.all([
    loadKeys(database),
    createUsers(database, passwordCost, people),
  ])
  if (key === '') await seedIdentity(database, passwordCost)
  const signingKey = keys.jwks.keys[0] as SigningKey
  const scenario = scenarioWith(options.quirks, createScenario({ database, signingKey, now }))
  const own = createProviderStorage(database, scenario.clock.now)
  const local = behavingStorage(own, scenario)
  const storage = latency === 0 ? local : withLatency(local, latency)
  const cookiePrefix = cookiePrefixOf(key)
  const basePath = key === '' ? '' : `/${key}`
  const binding = createInteractionBinding({ key: keys.bindingKey, cookiePrefix, basePath })
  const authSessions = createAuthSessions(database, scenario.clock.now)
  const stored = { database, keys, signingKey, users, storage, authSessions }
  return { ...stored, scenario, cookiePrefix, binding }
}

function alsoEnding({ endSessionsOf }: Identity, sessions: Sessions): Sessions {
  const and = (end: (sub: string) => void) => (sub: string) => {
    end(sub)
    endSessionsOf(sub)
  }
  return { ...sessions, revokeGrants: and(sessions.revokeGrants), end: and(sessions.end) }
}

/** Opens and seeds the database, builds the provider; rejects if the file can not be used. */
export async function createIssuer(options: IssuerOptions): Promise<Issuer> {
  const { key, issuer, serverName, clients, quirks, log, now } = options
  const { database, ...parts } = await openParts(options)
  const { signingKey, scenario, users, storage, authSessions, binding } = parts
  const provider = createProvider({ ...parts, issuer, clients, quirks, log, now })

  const { faults, journal, keys, clock } = scenario
  breakAnswersOf(provider, { issuer, faults, users })
  issueTokens(provider, { scenario, users, libraryKey: signingKey })
  acceptOfflineAccess(provider)
  offerServiceTokens(provider, { issuer, clients, scenario })
  // The library checks clients lazily: a wrong redirect URI must show now, not at the first login.
  await Promise.all(clients.map(({ clientId }) => provider.Client.find(clientId)))
  applyQuirks(provider, quirks)

  const [defaultClientId = ''] = clients.map(({ clientId }) => clientId)
  const place = { issuer, clientId: defaultClientId, now: clock.now, log }
  const identity = createIdentity({ ...place, database, users, keys, people: scenario.people })
  const redirectUris = new Set(clients.flatMap((client) => client.redirectUris))
  const router = Router()
  router.use(journal.record, quirkHandlers(quirks, scenario))
  router.use(breakEndpoints({ issuer, faults, redirectUris }))
  router.use(createLoginRouter({ serverName, provider, users, binding, log, scenario }))
  if (key === '') router.use('/api/auth', identity.handler)
  // Answers every remaining path, so it comes last.
  router.use(provider.callback())

  const collector = setInterval(storage.collect, collectEveryMilliseconds).unref()
  const close = () => {
    clearInterval(collector)
    database.close()
  }
  const logoutTokens = createLogoutTokens({ issuer, defaultClientId, keys, clock })
  tellClientsOfLogout(provider, { clients, logoutTokens })
  const sessions = alsoEnding(identity, createSessions(database, clock.now))
  const switched = { scenario, sessions, authSessions, logoutTokens }
  return { key, issuer, quirks, handler: router, users, ...switched, close }
}

// An issuer in the shape of GitHub: plain OAuth 2.0, no discovery, no ID token. Sign-ins, codes and tokens do not outlast it.
import { Router } from 'express'
import type { SigningKey } from '../../behaviour/tokens/key-ring.ts'
import { createLogoutTokens } from '../../behaviour/tokens/logout-token.ts'
import { breakEndpoints } from '../../behaviour/faults/break-endpoint.ts'
import { createScenario } from '../../behaviour/scenario.ts'
import { openDatabase } from '../../database.ts'
import { messagePage } from '../../pages/pages.ts'
import { createSessions } from '../../people/sessions.ts'
import { createUsers } from '../../people/users.ts'
import { createInteractionBinding } from '../../provider/interaction-binding.ts'
import { loadKeys } from '../../provider/keys.ts'
import type { Issuer, IssuerOptions } from '../issuer.ts'
import { githubApiRoutes } from './github-api.ts'
import { githubAuthorizeRoutes } from './github-authorize.ts'
import { createGithubState } from './github-state.ts'
import type { GithubParts } from './github-state.ts'
import { githubTokenRoutes } from './github-token.ts'

export interface GithubOptions extends IssuerOptions {
  /** The token endpoint answers with a form even to those who want JSON. */
  alwaysForm: boolean
}

export async function createGithubIssuer(options: GithubOptions): Promise<Issuer> {
  const { key, issuer, serverName, clients, people, passwordCost, log, now, alwaysForm } = options
  const database = openDatabase(options.databaseFile)
  const [serverKeys, users] = await Promise.all([
    loadKeys(database),
    createUsers(database, passwordCost, people),
  ])
  const signingKey = serverKeys.jwks.keys[0] as SigningKey
  const scenario = createScenario({ database, signingKey, now })
  const { faults, journal, keys, clock } = scenario
  const basePath = `/${key}`
  const cookiePrefix = `${key.toUpperCase().replaceAll('-', '_')}_SERVER`
  const parts: GithubParts = {
    ...createGithubState(clock.now),
    serverName,
    basePath,
    sessionCookie: `${cookiePrefix}_SESSION`,
    clients,
    users,
    binding: createInteractionBinding({ key: serverKeys.bindingKey, cookiePrefix, basePath }),
    log,
    https: issuer.startsWith('https:'),
    alwaysForm,
  }
  const redirectUris = new Set(clients.flatMap((client) => client.redirectUris))
  const router = Router()
  router.use(journal.record, breakEndpoints({ issuer, faults, redirectUris }))
  router.use(githubAuthorizeRoutes(parts), githubTokenRoutes(parts), githubApiRoutes(parts))
  router.use((_req, res) => {
    const message = 'Applications send you here to sign in.'
    res.status(404).type('html').send(messagePage('There is no such page', message))
  })
  const [defaultClientId = ''] = clients.map(({ clientId }) => clientId)
  const sessions = createSessions(database, clock.now)
  const logoutTokens = createLogoutTokens({ issuer, defaultClientId, keys, clock })
  const close = () => database.close()
  return { key, issuer, handler: router, users, scenario, sessions, logoutTokens, close }
}

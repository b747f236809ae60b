// An issuer in the shape of GitHub: plain OAuth 2.0, no discovery, no ID token. Sign-ins, codes and tokens do not outlast it.
import { Router } from 'express'
import type { SigningKey } from '../../behaviour/tokens/key-ring.ts'
import { breakEndpoints } from '../../behaviour/faults/break-endpoint.ts'
import { createScenario } from '../../behaviour/scenario.ts'
import { openDatabase } from '../../database.ts'
import { messagePage } from '../../pages/pages.ts'
import { createUsers } from '../../people/users.ts'
import { createInteractionBinding } from '../../provider/interaction-binding.ts'
import { loadKeys } from '../../provider/keys.ts'
import type { Issuer, IssuerOptions } from '../issuer.ts'
import { scenarioWith } from '../quirks/quirks.ts'
import { githubApiRoutes } from './github-api.ts'
import { githubAuthorizeRoutes } from './github-authorize.ts'
import { createGithubState, githubSessions } from './github-state.ts'
import type { GithubParts } from './github-state.ts'
import { githubTokenRoutes } from './github-token.ts'

export async function createGithubIssuer(options: IssuerOptions): Promise<Issuer> {
  const { key, issuer, serverName, clients, people, passwordCost, quirks, log, now } = options
  const database = openDatabase(options.databaseFile)
  const [serverKeys, users] = await Promise.all([
    loadKeys(database),
    createUsers(database, passwordCost, people),
  ])
  const signingKey = serverKeys.jwks.keys[0] as SigningKey
  const scenario = scenarioWith(quirks, createScenario({ database, signingKey, now }))
  const { faults, journal, clock } = scenario
  const state = createGithubState(clock.now)
  const basePath = `/${key}`
  const cookiePrefix = `${key.toUpperCase().replaceAll('-', '_')}_SERVER`
  const parts: GithubParts = {
    ...state,
    scenario,
    serverName,
    basePath,
    sessionCookie: `${cookiePrefix}_SESSION`,
    clients,
    users,
    binding: createInteractionBinding({ key: serverKeys.bindingKey, cookiePrefix, basePath }),
    log,
    https: issuer.startsWith('https:'),
    alwaysForm: quirks.answersAsForm === true,
  }
  const redirectUris = new Set(clients.flatMap((client) => client.redirectUris))
  const router = Router()
  router.use(journal.record, breakEndpoints({ issuer, faults, redirectUris }))
  router.use(githubAuthorizeRoutes(parts), githubTokenRoutes(parts), githubApiRoutes(parts))
  router.use((_req, res) => {
    const message = 'Applications send you here to sign in.'
    res.status(404).type('html').send(messagePage('There is no such page', message))
  })
  const close = () => database.close()
  const switched = { scenario, sessions: githubSessions(state) }
  return { key, issuer, quirks, handler: router, users, ...switched, close }
}

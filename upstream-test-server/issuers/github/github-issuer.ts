// An issuer in the shape of GitHub: plain OAuth 2.0, no discovery, no ID token. Sign-ins, codes and tokens do not outlast it.
import { randomBytes } from 'node:crypto'
import { Router } from 'express'
import { breakEndpoints } from '../../control/break-endpoint.ts'
import { createFaults } from '../../control/faults.ts'
import { createJournal } from '../../control/journal.ts'
import { openDatabase } from '../../database.ts'
import { messagePage } from '../../pages/pages.ts'
import { createUsers } from '../../people/users.ts'
import { createInteractionBinding } from '../../provider/interaction-binding.ts'
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
  const users = await createUsers(database, passwordCost, people)
  const basePath = `/${key}`
  const cookiePrefix = `${key.toUpperCase().replaceAll('-', '_')}_SERVER`
  const bindingKey = randomBytes(32).toString('base64url')
  const parts: GithubParts = {
    ...createGithubState(now),
    serverName,
    basePath,
    sessionCookie: `${cookiePrefix}_SESSION`,
    clients,
    users,
    binding: createInteractionBinding({ key: bindingKey, cookiePrefix, basePath }),
    log,
    https: issuer.startsWith('https:'),
    alwaysForm,
  }
  const faults = createFaults()
  const journal = createJournal(now)
  const redirectUris = new Set(clients.flatMap((client) => client.redirectUris))
  const router = Router()
  router.use(journal.record, breakEndpoints({ issuer, faults, redirectUris }))
  router.use(githubAuthorizeRoutes(parts), githubTokenRoutes(parts), githubApiRoutes(parts))
  router.use((_req, res) => {
    const message = 'Applications send you here to sign in.'
    res.status(404).type('html').send(messagePage('There is no such page', message))
  })
  return { key, issuer, handler: router, users, faults, journal, close: () => database.close() }
}

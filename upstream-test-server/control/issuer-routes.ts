// Makes issuers while the server runs: one for a test alone, strict or with the ways of a real provider.
import { Router } from 'express'
import type { Issuers } from '../issuers/issuers.ts'
import { profiles, profileSetup } from '../issuers/profiles.ts'
import type { ProfileName } from '../issuers/profiles.ts'
import { CommandError } from './commands/read-command.ts'
import { oneOf, readFields, required, textField, textsField } from './commands/read-fields.ts'
import type { FieldsOf } from './commands/read-fields.ts'

export interface NewIssuer {
  /** Of the issuer's one client. */
  redirectUris: string[]
  /** Default: `test-client`. */
  clientId?: string
  /** Default: that of the profile, else `test-secret`. */
  clientSecret?: string
  /** Default: strict. */
  profile?: ProfileName
}

const fields: FieldsOf<NewIssuer> = {
  redirectUris: required(textsField),
  clientId: textField,
  clientSecret: textField,
  profile: oneOf(Object.keys(profiles)),
}

async function create(issuers: Issuers, key: string, body: unknown) {
  const { profile, ...client } = readFields<NewIssuer>(body, fields)
  const strict = { clientId: 'test-client', clientSecret: 'test-secret', ...client }
  const setup = profile ? profileSetup(profile, client) : { clients: [strict] }
  const { issuer } = await issuers.create(key, setup).catch((error: unknown) => {
    // The library's words for a client that can not be.
    const { error_description: text } = error as { error_description?: string }
    throw text === undefined ? error : new CommandError(text)
  })
  const [made] = setup.clients
  return { key, issuer, clientId: made?.clientId, clientSecret: made?.clientSecret }
}

/** Expects the body as JSON. */
export function issuerRoutes(issuers: Issuers): Router {
  const router = Router()
  router.get('/profiles', (_req, res) => {
    const all = Object.entries(profiles).map(([name, { does }]) => ({ name, does }))
    res.json({ profiles: all })
  })
  router.put('/issuers/:key', async (req, res) => {
    res.json(await create(issuers, req.params.key, req.body))
  })
  return router
}

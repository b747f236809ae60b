// `auth-adapter client add`: a new app in the configuration file, with a secret that is shown once.
import { readFileSync } from 'node:fs'
import type { Document } from 'yaml'
import {
  asFailure,
  credentials,
  reported,
  TAKEN_OVER,
  type CommandOptions,
  type Done,
  type Failure,
} from './command-output.ts'
import { openClients, type Refusal } from './file/edit-clients.ts'
import { newSecret } from './file/new-secret.ts'

export interface AddOptions extends CommandOptions {
  id: string
  redirectUris: readonly string[]
  postLogoutRedirectUris: readonly string[]
  grantTypes: readonly string[]
  name: string | undefined
  scope: string | undefined
  isPublic: boolean
  /** A file with its public keys. */
  jwks: string | undefined
  /** Epoch milliseconds. */
  now: number
}

/** 0 added, 1 the file can not be written, 2 wrong usage or configuration. */
export const addClient = (options: AddOptions): 0 | 1 | 2 =>
  reported(options.isJson, () => added(options))

function added(options: AddOptions): Done | Refusal | Failure {
  const { id } = options
  const fault = usageFault(options)
  if (fault !== undefined) return { refusal: fault }
  const opened = openClients(options)
  if (Object.hasOwn(opened.config.clients, id))
    return {
      refusal: `There is already a client "${id}" in ${opened.file}; rotate-secret gives it a new secret`,
    }
  const jwks = options.jwks === undefined ? undefined : readKeys(options.jwks)
  if (jwks && 'refusal' in jwks) return jwks
  const made = options.isPublic || jwks ? undefined : newSecret(options.now)
  const failed = opened.save([id], (document) => {
    const entry = {
      ...entryOf(options),
      ...(jwks && { jwks }),
      ...(made && { client_secrets: [made.entry] }),
    }
    document.setIn(['clients', id], document.createNode(entry))
    if (jwks) inOneLineEach(document, id)
  })
  return failed ? asFailure(failed) : told(options, opened.file, made?.secret)
}

function usageFault({ redirectUris, grantTypes, isPublic, jwks }: AddOptions): string | undefined {
  const signsIn = grantTypes.length === 0 || grantTypes.includes('authorization_code')
  if (signsIn && redirectUris.length === 0)
    return 'Give the address that people come back to: --redirect-uri https://app.example/callback; or, for an app that signs nobody in, --grant-type client_credentials'
  return isPublic && jwks !== undefined
    ? 'Either --public, or --jwks with its public keys: not both'
    : undefined
}

function entryOf(options: AddOptions): object {
  const list = (values: readonly string[]) => (values.length > 0 ? values : undefined)
  const entry = {
    client_name: options.name,
    grant_types: list(options.grantTypes),
    redirect_uris: list(options.redirectUris),
    post_logout_redirect_uris: list(options.postLogoutRedirectUris),
    scope: options.scope,
  }
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined))
}

function readKeys(file: string): { keys: unknown } | Refusal {
  const refusal = `Expected a JWK Set in ${file}: { "keys": [ … ] } with public keys`
  try {
    const set = JSON.parse(readFileSync(file, 'utf8')) as { keys?: unknown } | null
    return Array.isArray(set?.keys) ? { keys: set.keys } : { refusal }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return { refusal: code === undefined ? refusal : `Cannot read ${file} (${code})` }
  }
}

/** A key a line is easier to compare than one part of it a line. */
function inOneLineEach(document: Document, id: string): void {
  const keys = document.getIn(['clients', id, 'jwks', 'keys']) as { items: { flow?: boolean }[] }
  for (const key of keys.items) key.flow = true
}

function told({ id, isPublic }: AddOptions, file: string, secret: string | undefined): Done {
  const none = isPublic ? 'a public client' : 'it signs with its own key'
  const next = `${TAKEN_OVER}\nReady settings for its library: auth-adapter client snippet ${id} --for <library>`
  return {
    words: `Client "${id}" is added to ${file}.\n\n${credentials(id, secret, none)}\n\n${next}`,
    data: { client_id: id, ...(secret === undefined ? {} : { client_secret: secret }), file },
  }
}

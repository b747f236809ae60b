// `auth-adapter client rotate-secret`: in two steps, so that nobody is ever refused. First a new secret beside the old one;
// then, when the app has it, the old one goes.
import { isDeepStrictEqual } from 'node:util'
import { isSeq, type Document } from 'yaml'
import { authMethodOf } from '../../config/client-schema/is-confidential.ts'
import type { ClientConfig } from '../../config/schema.ts'
import {
  asFailure,
  credentials,
  findClient,
  isRefusal,
  reported,
  TAKEN_OVER,
  type CommandOptions,
  type Done,
  type Failure,
} from './command-output.ts'
import { openClients, type Refusal } from './file/edit-clients.ts'
import { newSecret, type NewSecret } from './file/new-secret.ts'

export interface RotateOptions extends CommandOptions {
  id: string
  /** The second step. */
  dropOld: boolean
  /** Epoch milliseconds. */
  now: number
}

const SECRETS = 'client_secrets'

/** 0 done, 1 the file can not be written, 2 wrong usage or configuration. */
export const rotateSecret = (options: RotateOptions): 0 | 1 | 2 =>
  reported(options.isJson, () => rotated(options))

function rotated(options: RotateOptions): Done | Refusal | Failure {
  const { id, dropOld, now } = options
  const opened = openClients(options)
  const client = findClient(opened.config, id)
  if (isRefusal(client)) return client
  const fault =
    methodFault(id, client) ?? (dropOld ? dropFault(id, client) : addFault(id, client, now))
  if (fault !== undefined) return { refusal: fault }
  const made = dropOld ? undefined : newSecret(now)
  const change: Change = made ? adding(id, client, made, now) : dropping(id, client, now)
  const isMeant = (after?: ClientConfig) =>
    isDeepStrictEqual(after && secretsOf(after), change.leaves)
  const failed = opened.save([id, change.at], change.make, isMeant)
  if (failed) return asFailure(failed)
  return made ? toldNew(id, opened.file, made) : toldDropped(id, opened.file)
}

function methodFault(id: string, client: ClientConfig): string | undefined {
  const method = authMethodOf(client)
  if (method === 'private_key_jwt')
    return `Client "${id}" has no secret: it signs with its own key. Put the new public key beside the old one in its jwks`
  return method === 'none' ? `Client "${id}" has no secret: it is a public client` : undefined
}

/** The one as it is, if there is one, and the hashes of the others. */
const secretsOf = ({ client_secret: plain, client_secrets: hashed = [] }: ClientConfig) => [
  ...(plain === undefined ? [] : [plain]),
  ...hashed.map(({ sha256 }) => sha256),
]

/** Their places in `client_secrets`. */
function expiredIn({ client_secrets: hashed = [] }: ClientConfig, now: number): number[] {
  return hashed.flatMap(({ expires }, index) =>
    expires !== undefined && Date.parse(expires) <= now ? [index] : [],
  )
}

function addFault(id: string, client: ClientConfig, now: number): string | undefined {
  return secretsOf(client).length - expiredIn(client, now).length >= 2
    ? `Client "${id}" has two secrets already. When the app has the newer one: auth-adapter client rotate-secret ${id} --drop-old`
    : undefined
}

function dropFault(id: string, client: ClientConfig): string | undefined {
  return secretsOf(client).length < 2
    ? `Client "${id}" has one secret only: without --drop-old it gets a new one beside it`
    : undefined
}

interface Change {
  at: 'client_secret' | 'client_secrets'
  make: (document: Document) => void
  /** The secrets of the client afterwards. */
  leaves: string[]
}

function adding(id: string, client: ClientConfig, { entry }: NewSecret, now: number): Change {
  const expired = expiredIn(client, now)
  return {
    at: SECRETS,
    make: (document) => addTo(document, id, entry, expired),
    leaves: [...withoutHashes(client, expired), entry.sha256],
  }
}

function addTo(document: Document, id: string, entry: NewSecret['entry'], expired: number[]): void {
  const secrets = document.getIn(['clients', id, SECRETS])
  if (!isSeq(secrets)) {
    document.setIn(['clients', id, SECRETS], document.createNode([entry]))
    return
  }
  for (const index of expired.toReversed()) secrets.delete(index)
  secrets.add(document.createNode(entry))
}

/** One that is good is never the one that goes where the other has expired. */
function dropping(id: string, client: ClientConfig, now: number): Change {
  const [expired] = expiredIn(client, now)
  if (client.client_secret !== undefined && expired === undefined)
    return {
      at: 'client_secret',
      make: (document) => void document.deleteIn(['clients', id, 'client_secret']),
      leaves: secretsOf({ ...client, client_secret: undefined }),
    }
  const index = expired ?? oldestOf(client)
  const at = ['clients', id, SECRETS]
  const path = client.client_secrets?.length === 1 ? at : [...at, index]
  return {
    at: SECRETS,
    make: (document) => void document.deleteIn(path),
    leaves: withoutHashes(client, [index]),
  }
}

/** Of two hashes, the one that was made first. */
function oldestOf({ client_secrets: hashed = [] }: ClientConfig): number {
  const [first = '', second = ''] = hashed.map(({ created }) => created ?? '')
  return first <= second ? 0 : 1
}

const withoutHashes = (client: ClientConfig, dropped: number[]) =>
  secretsOf({
    ...client,
    client_secrets: client.client_secrets?.filter((_, index) => !dropped.includes(index)),
  })

function toldNew(id: string, file: string, { secret }: NewSecret): Done {
  const next = `The old secret stays good. When the app has the new one: auth-adapter client rotate-secret ${id} --drop-old`
  return {
    words: `Client "${id}" has a new secret in ${file}.\n\n${credentials(id, secret)}\n\n${next}\n${TAKEN_OVER}`,
    data: { client_id: id, client_secret: secret, file },
  }
}

function toldDropped(id: string, file: string): Done {
  return {
    words: `The secret of client "${id}" that was older, or had expired, is gone from ${file}; the other one stays.\n${TAKEN_OVER}`,
    data: { client_id: id, dropped: true, file },
  }
}

// How the client commands end: what was done on standard output, what was refused on standard error; as JSON both on
// standard output.
import { didYouMean } from '../../config/source/nearest-name.ts'
import type { Config } from '../../config/schema.ts'
import { reportConfigError } from '../report-config-error.ts'
import type { EditOptions, Refusal } from './file/edit-clients.ts'

export interface CommandOptions extends EditOptions {
  isJson: boolean
}

export interface Done {
  /** For people. */
  words: string
  /** For programs. */
  data: object
}

/** 0 done, 1 the file could not be written, 2 wrong usage or configuration; nothing was changed then. */
export function reported(isJson: boolean, work: () => Done | Refusal | Failure): 0 | 1 | 2 {
  try {
    const outcome = work()
    if ('words' in outcome) {
      process.stdout.write(isJson ? json(outcome.data) : `${outcome.words}\n`)
      return 0
    }
    const message = 'failure' in outcome ? outcome.failure : outcome.refusal
    if (isJson) process.stdout.write(json({ error: message }))
    else process.stderr.write(`${message}\n`)
    return 'failure' in outcome ? 1 : 2
  } catch (error) {
    return reportConfigError(error, isJson)
  }
}

/** The command was right, and could not be done all the same. */
export interface Failure {
  failure: string
}

export const TAKEN_OVER =
  'A running adapter takes the file over by itself; `auth-adapter config reload` does it at once.'

/** What the app needs to know. `none` says why there is no secret. */
export function credentials(id: string, secret: string | undefined, none = ''): string {
  const once = '\n               (shown this once; the file keeps its hash alone)'
  return `client_id      ${id}\nclient_secret  ${secret === undefined ? `none: ${none}` : secret + once}`
}

const json = (value: object) => `${JSON.stringify(value, null, 2)}\n`

export const asFailure = ({ refusal }: Refusal): Failure => ({ failure: refusal })

/** Own settings of a client, or why there are none. */
export function findClient({ clients }: Config, id: string): Config['clients'][string] | Refusal {
  const client = Object.hasOwn(clients, id) ? clients[id] : undefined
  if (client) return client
  const names = Object.keys(clients)
  const hint =
    didYouMean(id, names) || `; there ${names.length === 0 ? 'are none' : `is ${names.join(', ')}`}`
  return { refusal: `There is no client "${id}"${hint}` }
}

export const isRefusal = (value: object): value is Refusal => 'refusal' in value

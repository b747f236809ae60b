// What an event may say beside who, when and where: a field that does not stand here is in no event, and a value that is not of
// its kind neither. Pure.
import { redactText } from '../../../service/redact-text.ts'
import { shownPath } from '../../../service/request-log.ts'

interface KindTypes {
  /** One of our own words: `chain`, `code_refused`. */
  word: string
  /** A client, a branch. */
  name: string
  names: string | readonly string[]
  /** Of `shortHash`. */
  hash: string
  /** Cut at the query. */
  path: string
  count: number
  flag: boolean
}

type Kind = keyof KindTypes

const FIELDS = {
  /** `chain` or `form`. */
  way: 'word',
  /** Code of what went wrong. */
  failure: 'word',
  oauth_error: 'word',
  check: 'word',
  client_id: 'name',
  issuer: 'name',
  aud: 'names',
  code_hash: 'hash',
  token_hash: 'hash',
  branch: 'name',
  branches: 'count',
  path: 'path',
  had_session: 'flag',
  /** Of the one step. */
  ms: 'count',
  /** Of the whole login. */
  duration_ms: 'count',
  /** Until the access token ends. */
  expires_in_seconds: 'count',
} as const satisfies Record<string, Kind>

type Fields = typeof FIELDS

export type TrailFields = { readonly [Name in keyof Fields]?: KindTypes[Fields[Name]] | undefined }

/** As stored and shown. */
export type SaidFields = Readonly<Record<string, string | number | boolean | readonly string[]>>

const MAX_NAMES = 10
const WORD = /^[A-Za-z][\w.:-]{0,63}$/
const NAME = /^[\x21-\x7e]{1,200}$/
const HASH = /^[0-9a-f]{12}$/

const text =
  (shape: RegExp) =>
  (value: unknown): string | undefined =>
    typeof value === 'string' && shape.test(value) ? redactText(value) : undefined

const name = text(NAME)

const JUDGES: Readonly<Record<Kind, (value: unknown) => SaidFields[string] | undefined>> = {
  word: text(WORD),
  name,
  names: (value) =>
    [value]
      .flat()
      .flatMap((item) => name(item) ?? [])
      .slice(0, MAX_NAMES),
  hash: text(HASH),
  path: (value) =>
    typeof value === 'string' && value.startsWith('/') ? shownPath(value) : undefined,
  count: (value) => (Number.isSafeInteger(value) ? (value as number) : undefined),
  flag: (value) => (typeof value === 'boolean' ? value : undefined),
}

export function judgeFields(fields: Readonly<Record<string, unknown>>): SaidFields {
  const said = Object.entries(FIELDS).flatMap(([field, kind]) => {
    const value = JUDGES[kind](fields[field])
    return value === undefined || isEmpty(value) ? [] : [[field, value] as const]
  })
  return Object.fromEntries(said)
}

const isEmpty = (value: SaidFields[string]): boolean =>
  value === '' || (Array.isArray(value) && value.length === 0)

// A command of the control API, checked: a switch with a typing error must not pass as "no fault".
import {
  endpointPaths,
  personalEndpoints,
  plainTokenFaults,
} from '../../behaviour/faults/faults.ts'
import type {
  ArmedEndpointFault,
  ArmedTokenFault,
  EndpointFault,
} from '../../behaviour/faults/faults.ts'
import type { JournalFilter } from '../../behaviour/faults/journal.ts'

type Json = Record<string, unknown>

/** Says what was expected; becomes status 400. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x20-\x7e]{1,200}$/.test(value)
const isWithin = (value: unknown, lowest: number, highest: number) =>
  Number.isInteger(value) && Number(value) >= lowest && Number(value) <= highest
const objectFrom = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {}

const endpointFaults: Record<
  EndpointFault['kind'],
  { fields: string; fits(fault: Json): boolean }
> = {
  status: { fields: 'status: 400 to 599', fits: ({ status }) => isWithin(status, 400, 599) },
  oauth_error: {
    fields: 'error: a code as in RFC 6749',
    fits: ({ error }) => isText(error) && !/["\\]/.test(error),
  },
  delay: {
    fields: 'milliseconds: 1 to 60000',
    fits: ({ milliseconds }) => isWithin(milliseconds, 1, 60_000),
  },
  drop: { fields: '', fits: () => true },
  truncated: { fields: '', fits: () => true },
  content_type: {
    fields: 'contentType: a media type',
    fits: ({ contentType }) => isText(contentType),
  },
  oversized: {
    fields: 'bytes: 1 to 50000000',
    fits: ({ bytes }) => isWithin(bytes, 1, 50_000_000),
  },
}

function expectOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (typeof value !== 'string' || !known.includes(value))
    throw new CommandError(`${name}: expected one of ${known.join(', ')}`)
}

function expectOnly(body: unknown, known: readonly string[]): void {
  const unknown = Object.keys(objectFrom(body)).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new CommandError(`${unknown}: there is no such field; expected ${known.join(', ')}`)
}

function timesFrom(value: unknown): number {
  if (value === undefined) return 1
  if (!isWithin(value, 1, 1000)) throw new CommandError('times: expected a number from 1 to 1000')
  return Number(value)
}

function usernameFrom(value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new CommandError('username: expected text')
}

export function readEndpointFault(body: unknown): ArmedEndpointFault {
  expectOnly(body, ['endpoint', 'fault', 'times', 'username'])
  const { endpoint, fault, times, username } = objectFrom(body)
  expectOneOf('endpoint', endpoint, Object.keys(endpointPaths))
  const wanted = objectFrom(fault)
  expectOneOf('fault.kind', wanted['kind'], Object.keys(endpointFaults))
  const { fields, fits } = endpointFaults[wanted['kind'] as EndpointFault['kind']]
  if (!fits(wanted)) throw new CommandError(`fault: expected ${fields}`)
  const armed = {
    endpoint,
    fault: wanted,
    times: timesFrom(times),
  } as unknown as ArmedEndpointFault
  if (username === undefined) return armed
  if (!personalEndpoints.includes(armed.endpoint))
    throw new CommandError(`username: known at ${personalEndpoints.join(' and ')} only`)
  return { ...armed, username: usernameFrom(username) }
}

export function readTokenFault(body: unknown): ArmedTokenFault {
  expectOnly(body, ['fault', 'times', 'username'])
  const { fault, times, username } = objectFrom(body)
  const wanted = objectFrom(fault)
  const kinds = [...plainTokenFaults, 'missing_claim', 'other_sub_at_userinfo']
  expectOneOf('fault.kind', wanted['kind'], kinds)
  if (wanted['kind'] === 'missing_claim' && !isText(wanted['claim']))
    throw new CommandError('fault: expected claim: the name of a claim')
  const armed = { fault: wanted, times: timesFrom(times) } as unknown as ArmedTokenFault
  return username === undefined ? armed : { ...armed, username: usernameFrom(username) }
}

function numberFrom(name: string, text: unknown, highest: number): number {
  if (text === undefined) return 0
  if (typeof text === 'string' && /^\d{1,15}$/.test(text) && Number(text) <= highest)
    return Number(text)
  throw new CommandError(`${name}: expected a number up to ${highest}`)
}

export interface JournalQuery {
  filter: JournalFilter
  waitMilliseconds: number
}

export function readJournalQuery(query: Json): JournalQuery {
  const { endpoint, after, wait_ms: wait } = query
  if (endpoint !== undefined) expectOneOf('endpoint', endpoint, Object.keys(endpointPaths))
  const chosen = endpoint === undefined ? {} : { endpoint }
  const filter = { ...chosen, after: numberFrom('after', after, Number.MAX_SAFE_INTEGER) }
  return { filter: filter as JournalFilter, waitMilliseconds: numberFrom('wait_ms', wait, 20_000) }
}

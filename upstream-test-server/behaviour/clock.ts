// The clock of one issuer: the system's, and how far it was set ahead or back.

export interface Clock {
  /** Epoch milliseconds of this issuer. */
  now(): number
  offsetSeconds(): number
  set(offsetSeconds: number): void
  advance(seconds: number): void
}

/** `systemNow` in epoch milliseconds. */
export function createClock(systemNow: () => number): Clock {
  let offsetSeconds = 0
  return {
    now: () => systemNow() + offsetSeconds * 1000,
    offsetSeconds: () => offsetSeconds,
    set: (seconds) => void (offsetSeconds = seconds),
    advance: (seconds) => void (offsetSeconds += seconds),
  }
}

const timeClaims = ['iat', 'exp', 'nbf', 'auth_time']

type Json = Record<string, unknown>

const shifted = (value: unknown, names: ReadonlySet<string>, seconds: number): unknown => {
  if (Array.isArray(value)) return value.map((entry) => shifted(entry, names, seconds))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([name, entry]) => [
    name,
    typeof entry === 'number' && names.has(name) ? entry + seconds : shifted(entry, names, seconds),
  ])
  return Object.fromEntries(entries) as unknown
}

const claimNames = new Set(timeClaims)

/** The claims of a token with its times moved. */
export const shiftClaims = (claims: Json, seconds: number): Json =>
  seconds === 0 ? claims : (shifted(claims, claimNames, seconds) as Json)

// The times in what oidc-provider stores, at any depth: an interaction holds a session.
const storedNames = new Set(['iat', 'exp', 'iiat', 'loginTs', 'authTime', 'ts'])

export const shiftStored = <Payload extends object>(payload: Payload, seconds: number): Payload =>
  seconds === 0 ? payload : (shifted(payload, storedNames, seconds) as Payload)

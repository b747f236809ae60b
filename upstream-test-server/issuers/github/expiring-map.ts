// Records that are known by a random key and end by themselves: codes, tokens, sessions of the GitHub-shaped issuer.
import { randomBytes } from 'node:crypto'

export interface ExpiringMap<Value> {
  /** Returns the key: 256 random bits, after the prefix. */
  add(value: Value): string
  get(key: string): Value | undefined
  /** Only the first caller gets it. */
  take(key: string): Value | undefined
  values(): Value[]
  drop(fits: (value: Value) => boolean): void
}

export interface ExpiringMapOptions {
  ttlSeconds: number
  /** Epoch milliseconds. */
  now: () => number
  prefix?: string
}

const mostEntries = 10_000

export function createExpiringMap<Value>(options: ExpiringMapOptions): ExpiringMap<Value> {
  const { ttlSeconds, now, prefix = '' } = options
  const entries = new Map<string, { value: Value; expiresAt: number }>()

  function makeRoom(): void {
    for (const [key, { expiresAt }] of entries)
      if (expiresAt <= now() || entries.size >= mostEntries) entries.delete(key)
      else return
  }

  function get(key: string): Value | undefined {
    const entry = entries.get(key)
    return entry && entry.expiresAt > now() ? entry.value : undefined
  }

  return {
    add(value) {
      makeRoom()
      const key = `${prefix}${randomBytes(32).toString('base64url')}`
      entries.set(key, { value, expiresAt: now() + ttlSeconds * 1000 })
      return key
    },
    get,
    take(key) {
      const value = get(key)
      entries.delete(key)
      return value
    },
    values: () =>
      [...entries.values()].filter(({ expiresAt }) => expiresAt > now()).map(({ value }) => value),
    drop(fits) {
      for (const [key, { value }] of entries) if (fits(value)) entries.delete(key)
    },
  }
}

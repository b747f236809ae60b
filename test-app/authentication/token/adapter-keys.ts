// The adapter's signing keys: asked for when needed, again after ten minutes or for a key that is not among them, and kept for
// an hour while the adapter is away.
import { createLocalJWKSet, errors } from 'jose'
import type { JSONWebKeySet, JWTVerifyGetKey } from 'jose'
import { SignInError } from '../../relying-party/sign-in-error.ts'

/** Public keys only: whoever has the adapter's can sign nothing with them. */
export const SIGNING_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

const FRESH_MS = 10 * 60 * 1000
const KEPT_MS = 60 * 60 * 1000
/** Tokens may name any key: so many searches, and no more until this time is over. */
const MOST_SEARCHES = 5
const SEARCHES_MS = 10_000
const TIMEOUT_MS = 5000

export interface AdapterKeysOptions {
  readonly jwksUri: () => Promise<string>
  readonly now: () => number
}

interface Keys {
  readonly find: JWTVerifyGetKey
  readonly readAt: number
}

/** Finds the key of a JWT. Rejects with SignInError `adapter_unavailable` where the keys can not be had. */
export interface AdapterKeys extends JWTVerifyGetKey {
  /** Stands for the keys while they are fresh, another object each time that they were read. Asks for nothing. */
  inForce(): object | undefined
}

export function createAdapterKeys({ jwksUri, now }: AdapterKeysOptions): AdapterKeys {
  let current: Keys | undefined
  let running: Promise<Keys> | undefined
  const age = () => Math.abs(now() - (current?.readAt ?? -Infinity))

  async function read(): Promise<Keys> {
    current = { find: createLocalJWKSet(await fetchKeys(await jwksUri())), readAt: now() }
    return current
  }
  const readOnce = () => (running ??= read().finally(() => (running = undefined)))

  async function keys(): Promise<Keys> {
    if (current && age() < FRESH_MS) return current
    return readOnce().catch((error: unknown) => {
      if (current && age() < KEPT_MS) return current
      throw error
    })
  }

  const maySearch = limited(now)

  const findKey: JWTVerifyGetKey = async (header, token) => {
    const { find } = await keys()
    try {
      return await find(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !maySearch()) throw error
    }
    return (await readOnce()).find(header, token)
  }
  return Object.assign(findKey, { inForce: () => (age() < FRESH_MS ? current : undefined) })
}

function limited(now: () => number): () => boolean {
  let searches: readonly number[] = []
  return () => {
    searches = searches.filter((at) => Math.abs(now() - at) < SEARCHES_MS)
    const isAllowed = searches.length < MOST_SEARCHES
    if (isAllowed) searches = [...searches, now()]
    return isAllowed
  }
}

async function fetchKeys(uri: string): Promise<JSONWebKeySet> {
  try {
    const answer = await fetch(uri, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' })
    if (!answer.ok) throw new Error(`The keys of the adapter were answered with ${answer.status}`)
    return (await answer.json()) as JSONWebKeySet
  } catch (cause) {
    throw new SignInError('adapter_unavailable', 'The keys of the adapter can not be had', {
      cause,
    })
  }
}

// The signing keys of one upstream: fetched on first use, refetched for a key that is not among them, parsed once.
// Chooses the key a token header names; verifying with it is verify-id-token.ts.
import { importJWK } from 'jose'
import type { CryptoKey, JWK } from 'jose'
import { UpstreamError } from '../../errors.ts'
import type { Log } from '../../../service/log.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import { createDocumentLoader } from './document-loader.ts'
import type { Loaded } from './document-loader.ts'
import { createSharedDocument, isWithin } from './shared-document.ts'

export interface KeyWanted {
  alg: string
  kid: string | undefined
}

/** One fetched state of the upstream's JWKS. */
export interface KeySet {
  /** When it was asked for, by the clock of performance.now(). */
  readonly askedAt: number
  /** The one key that fits; undefined when none does, or more than one. Each is parsed at its first use. */
  find(wanted: KeyWanted): Promise<CryptoKey | undefined>
  /** What the set says whose key it is, in a member `issuer`, as providers with many tenants do. */
  issuerOf(wanted: KeyWanted): string | undefined
}

export interface JwksCache {
  /** @throws UpstreamError `unavailable`, `metadata_invalid` */
  current(): Promise<KeySet>
  /**
   * A set newer than `seen`; undefined when that one was asked for after `since` (performance.now(), when the token came),
   * or when the upstream was asked for a newer one less than five seconds ago.
   */
  newerThan(seen: KeySet, since: number): Promise<KeySet | undefined>
}

export interface JwksCacheOptions {
  upstream: string
  jwksUri: () => Promise<string>
  http: OutgoingHttp
  now: () => number
  log: Log
}

/** When a set is renewed behind the scenes, */
const BOUNDS = { leastMs: 60_000, usualMs: 5 * 60_000, mostMs: 50 * 60_000 }
/** and when it is not used any more: a key the upstream withdrew must stop working. */
const MAX_AGE_MS = 3_600_000
const REFETCH_INTERVAL_MS = 5000
const MAX_KEYS = 100
const MIN_RSA_BITS = 2048

export function createJwksCache({
  upstream,
  jwksUri,
  http,
  now,
  log,
}: JwksCacheOptions): JwksCache {
  const fetchKeys = createDocumentLoader({
    upstream,
    url: jwksUri,
    http,
    bounds: BOUNDS,
    read: (document) => keySetFrom(document, upstream),
  })
  const keySets = createSharedDocument({ load, now, maxAgeMs: MAX_AGE_MS })
  let refetchedAt = -Infinity

  async function load(): Promise<Loaded<KeySet>> {
    const askedAt = performance.now()
    try {
      const { value, freshMs } = await fetchKeys()
      log.debug('upstream.jwks_fetched', { upstream })
      return { value: { ...value, askedAt }, freshMs }
    } catch (error) {
      log.warn('upstream.jwks_failed', { upstream, error })
      throw error
    }
  }

  async function newerThan(seen: KeySet, since: number): Promise<KeySet | undefined> {
    const latest = keySets.latest()
    if (latest && latest !== seen) return latest
    const underWay = keySets.underWay()
    if (underWay) return underWay
    if (seen.askedAt >= since || isWithin(now(), refetchedAt, REFETCH_INTERVAL_MS)) return undefined
    refetchedAt = now()
    log.info('upstream.jwks_refetch', { upstream })
    return keySets.renew()
  }

  return { current: keySets.current, newerThan }
}

function keySetFrom(document: unknown, upstream: string): Omit<KeySet, 'askedAt'> {
  const invalid = (message: string) =>
    new UpstreamError('metadata_invalid', upstream, `JWKS: ${message}`)
  const keys = (document as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) throw invalid('expected a JSON object with an array "keys"')
  if (keys.length > MAX_KEYS) throw invalid(`expected at most ${MAX_KEYS} keys, got ${keys.length}`)
  const usable = (keys as JWK[]).filter(isPublicSigningKey)
  const parsed = new Map<string, Promise<CryptoKey | undefined>>()

  function keyFor({ alg, kid }: KeyWanted): JWK | undefined {
    const fitting = usable.filter((key) => fits(key, alg) && (kid === undefined || key.kid === kid))
    // Without a kid, or with one given twice, guessing would let a second key speak for the first.
    return fitting.length > 1 ? undefined : fitting[0]
  }

  async function find(wanted: KeyWanted): Promise<CryptoKey | undefined> {
    const key = keyFor(wanted)
    if (!key) return undefined
    const id = `${wanted.alg} ${usable.indexOf(key)}`
    const known = parsed.get(id) ?? parseKey(key, wanted.alg)
    parsed.set(id, known)
    return known
  }

  function issuerOf(wanted: KeyWanted): string | undefined {
    const { issuer } = (keyFor(wanted) ?? {}) as { issuer?: unknown }
    return typeof issuer === 'string' ? issuer : undefined
  }

  return { find, issuerOf }
}

/** Encryption keys do not sign (RFC 7517 §4.2); a private or symmetric key in a public document is nobody's proof. */
function isPublicSigningKey(key: unknown): key is JWK {
  if (typeof key !== 'object' || key === null) return false
  const { kty, use, key_ops: operations, d } = key as JWK
  if (typeof kty !== 'string' || kty === 'oct' || d !== undefined) return false
  // RFC 7517 §4.2 and §4.3: https://www.rfc-editor.org/rfc/rfc7517.html#section-4.2
  return (
    (use === undefined || use === 'sig') &&
    (!Array.isArray(operations) || operations.includes('verify'))
  )
}

const KEY_OF_ALG: Readonly<Record<string, Partial<JWK>>> = {
  RS: { kty: 'RSA' },
  PS: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
}

function fits(key: JWK, alg: string): boolean {
  const wanted = KEY_OF_ALG[alg] ?? KEY_OF_ALG[alg.slice(0, 2)]
  if (!wanted || key.kty !== wanted.kty || (wanted.crv && key.crv !== wanted.crv)) return false
  return key.alg === undefined || key.alg === alg
}

async function parseKey(key: JWK, alg: string): Promise<CryptoKey | undefined> {
  const parsed = await importJWK(key, alg).catch(() => undefined)
  if (!parsed || parsed instanceof Uint8Array) return undefined
  const bits = (parsed.algorithm as { modulusLength?: number }).modulusLength
  // RFC 7518 §3.3, "A key of size 2048 bits or larger": https://www.rfc-editor.org/rfc/rfc7518.html#section-3.3
  return bits === undefined || bits >= MIN_RSA_BITS ? parsed : undefined
}

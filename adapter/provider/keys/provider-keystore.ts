// Lets a running oidc-provider sign, verify and publish with the keys of now. It takes keys at its construction only, and
// keeps them where no public way leads: the one place in the project that goes past its public interface.
import { createRequire } from 'node:module'
import type { JWK } from 'jose'
import type { Configuration, ExternalSigningKey, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { publicJwks } from './signing-keys.ts'
import { memoized, type LiveKeys } from './live-keys.ts'

interface KeyStore {
  selectForSign(query: object): unknown[]
  selectForVerify(query: object): unknown[]
  selectForEncrypt(query: object): unknown[]
  selectForDecrypt(query: object): unknown[]
  getKeyObject(key: unknown, isPublic?: boolean): unknown
  [Symbol.iterator](): Iterator<unknown>
}

/** What oidc-provider keeps of itself. */
interface Inside {
  keystore: KeyStore & { constructor: new (keys: OwnKey[]) => KeyStore }
  jwks: { keys: object[] }
}

const { default: inside } = createRequire(import.meta.url)(
  'oidc-provider/lib/helpers/weak_cache.js',
) as { default: (provider: Provider) => Inside }

type OwnKey = JWK | ExternalSigningKey

/** As oidc-provider signs with it; a copy, since it changes what it is given. */
const ownKey = (key: JWK, { external }: LiveKeys): OwnKey =>
  external?.get(key.kid as string) ?? structuredClone(key)

/** What the constructor has to know of keys. */
export function initialJwks(live: LiveKeys): NonNullable<Configuration['jwks']> {
  const keys = live.keys.map((key) => ownKey(key, live))
  return { keys } as NonNullable<Configuration['jwks']>
}

export function externalSigning({ external }: LiveKeys) {
  const feature = { enabled: true, ack: 'experimental-01' }
  return external ? { externalSigningSupport: feature } : {}
}

/** From now on there are no keys but those in `live`, request by request. */
export function followKeys(provider: Provider, live: LiveKeys): void {
  const own = inside(provider)
  const Store = own.keystore.constructor
  const published = memoized(live, () => publicJwks(live))
  const all = memoized(live, (keys) => new Store(keys.map((key) => ownKey(key, live))))
  const signing = memoized(live, (keys) => {
    const waiting = new Set(live.waiting)
    const signers = keys.filter((key) => !waiting.has(key))
    return new Store(signers.map((key) => ownKey(key, live)))
  })
  own.keystore = {
    selectForSign: (query: object) => signing().selectForSign(query),
    selectForVerify: (query: object) => all().selectForVerify(query),
    selectForEncrypt: (query: object) => all().selectForEncrypt(query),
    selectForDecrypt: (query: object) => all().selectForDecrypt(query),
    getKeyObject: (key: unknown, isPublic?: boolean) => all().getKeyObject(key, isPublic),
    [Symbol.iterator]: () => all()[Symbol.iterator](),
  } as unknown as Inside['keystore']
  Object.defineProperty(own, 'jwks', { get: published })
}

/** Middleware: apps may keep the keys for as long as a new one is published before it signs, and no longer. */
export function cacheKeys(path: string, { maxAgeSeconds }: LiveKeys) {
  return async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>): Promise<void> => {
    await next()
    if (ctx.path === path && ctx.status === 200)
      ctx.set('cache-control', `public, max-age=${maxAgeSeconds}`)
  }
}

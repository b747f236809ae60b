// The signing keys as they are now, for whoever signs, verifies or publishes. Replaced as a whole when they change; what
// decides that is elsewhere (key-ring.ts).
import { createLocalJWKSet, type JWK, type JWTVerifyGetKey } from 'jose'
import type { ExternalSigningKey } from 'oidc-provider'
import { publicJwks, type SigningAlg, type SigningKeys } from './signing-keys.ts'

export interface LiveKeys extends SigningKeys {
  /** All that are published, the one that signs first. Another array after each change. */
  readonly keys: JWK[]
  /** Of the key that signs. */
  readonly alg: SigningAlg
  /** Published, and not to sign yet. */
  readonly waiting: readonly JWK[]
  /** How long apps may keep the published keys. */
  readonly maxAgeSeconds: number
  /** We rotate them: one algorithm signs at a time. */
  readonly isRotated: boolean
  /** By kid: keys of which only the public part is here. */
  readonly external: ReadonlyMap<string, ExternalSigningKey> | undefined
}

export interface KeySnapshot {
  keys: JWK[]
  alg: SigningAlg
  waiting: readonly JWK[]
}

/** `current` answers with the same object until something changes. */
export function createLiveKeys(
  current: () => KeySnapshot,
  constant: Pick<LiveKeys, 'maxAgeSeconds' | 'isRotated' | 'external'>,
): LiveKeys {
  return {
    ...constant,
    get keys() {
      return current().keys
    },
    get alg() {
      return current().alg
    },
    get waiting() {
      return current().waiting
    },
  }
}

/** The keys of now, for jose's `jwtVerify`: what a key signed is refused from the moment that it is taken away. */
export function verificationKeys(signingKeys: SigningKeys): JWTVerifyGetKey {
  const keySet = memoized(signingKeys, (keys) => createLocalJWKSet(publicJwks({ keys })))
  return (header, token) => keySet()(header, token)
}

/** What is made of the keys, made again after they changed. */
export function memoized<Made>(signingKeys: SigningKeys, make: (keys: JWK[]) => Made): () => Made {
  let known: { keys: JWK[]; made: Made } | undefined
  return () => {
    const { keys } = signingKeys
    if (known?.keys !== keys) known = { keys, made: make(keys) }
    return known.made
  }
}

// The signing keys of one issuer: which one signs, and which ones it publishes. Kept in the database.
import type { JsonWebKey } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { createSigningKey } from '../../provider/keys.ts'

export type SigningKey = JsonWebKey & { kid: string }

interface Ring {
  active: SigningKey
  /** Published, and not in use before the rotation. */
  next?: SigningKey
  /** Out of use. */
  old: { key: SigningKey; isPublished: boolean }[]
}

export interface Rotation {
  /** Whether the key that `publishNext` made goes into use, or one that nobody has seen. */
  publishFirst: boolean
  /** Whether the key that was in use stays published. */
  old: 'retained' | 'withdrawn'
}

export interface KeyRing {
  active(): SigningKey
  /** By kid, also a withdrawn one. */
  find(kid: unknown): SigningKey | undefined
  /** Public parts, as they stand at the JWKS endpoint. */
  published(): JsonWebKey[]
  kids(): { active: string; next: string | null; retained: string[]; withdrawn: string[] }
  /** Makes the next key known without using it; one that waits already stays. */
  publishNext(): Promise<void>
  /** False, and nothing changed, where the next key was to be published first and is not. */
  rotate(rotation: Rotation): Promise<boolean>
}

const publicPart = ({ kid, kty, n, e }: SigningKey): JsonWebKey => ({
  kty: kty ?? '',
  use: 'sig',
  alg: 'RS256',
  kid,
  n: n ?? '',
  e: e ?? '',
})

function storedRing(database: DatabaseSync): Ring | undefined {
  const row = database.prepare(`SELECT value FROM keys WHERE name = 'ring'`).get()
  return row && (JSON.parse(String(row['value'])) as Ring)
}

function storeRing(database: DatabaseSync, ring: Ring): void {
  database
    .prepare(
      `INSERT INTO keys (name, value) VALUES ('ring', ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    )
    .run(JSON.stringify(ring))
}

const createKey = async () => (await createSigningKey()) as SigningKey

const kidsOf = (ring: Ring, isPublished: boolean) =>
  ring.old.filter((entry) => entry.isPublished === isPublished).map(({ key }) => key.kid)

/** `first` signs until the first rotation. */
export function createKeyRing(database: DatabaseSync, first: SigningKey): KeyRing {
  let ring = storedRing(database) ?? { active: first, old: [] }
  const keep = (changed: Ring) => {
    ring = changed
    storeRing(database, changed)
  }
  const all = () => [ring.active, ...(ring.next ? [ring.next] : []), ...ring.old.map((o) => o.key)]
  return {
    active: () => ring.active,
    find: (kid) => all().find((key) => key.kid === kid),
    published() {
      const hidden = new Set(kidsOf(ring, false))
      return all()
        .filter(({ kid }) => !hidden.has(kid))
        .map(publicPart)
    },
    kids: () => ({
      active: ring.active.kid,
      next: ring.next?.kid ?? null,
      retained: kidsOf(ring, true),
      withdrawn: kidsOf(ring, false),
    }),
    async publishNext() {
      if (!ring.next) keep({ ...ring, next: await createKey() })
    },
    async rotate({ publishFirst, old }) {
      if (publishFirst && !ring.next) return false
      const active = (publishFirst ? ring.next : undefined) ?? (await createKey())
      const waiting = publishFirst ? {} : { ...(ring.next && { next: ring.next }) }
      const replaced = { key: ring.active, isPublished: old === 'retained' }
      keep({ active, ...waiting, old: [...ring.old, replaced] })
      return true
    },
  }
}

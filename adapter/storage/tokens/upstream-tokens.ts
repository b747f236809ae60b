// What a person granted us at their upstream at one sign-in: the refresh token, sealed, and the identity as it was last
// confirmed. One record for all grants that came of the sign-in, since the upstream may take each refresh token once.
import { randomBytes } from 'node:crypto'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { Identity } from '../sessions/identities.ts'
import {
  forgetUpstreamTokens,
  grantsOfUpstreamTokens,
  upstreamTokensKey,
} from './release-upstream-tokens.ts'
import { revokeGrant } from './revoke-grant.ts'
import type { Sealing } from '../sealing/sealing.ts'

export interface UpstreamGrant {
  upstream: string
  /** As the upstream names the person. */
  iss: string
  sub: string
  refreshToken: string
  /** The last that was asked for, for apps that may have it. */
  access?: UpstreamAccess
  /** Its `checkedAt` is when the upstream last confirmed it. */
  identity: Identity
}

export interface UpstreamAccess {
  token: string
  /** As it was asked for. */
  scope: string
  /** Epoch seconds. */
  expiresAt?: number
  /** Epoch milliseconds; when it was given to us. */
  at: number
}

export interface UpstreamTokens {
  /** The id that identities name it by. */
  create(grant: UpstreamGrant, ttlSeconds: number): Promise<string>
  /** Rejects with StorageError `unusable` where it was sealed with a key that is gone. */
  read(id: string): Promise<{ grant: UpstreamGrant; version: number } | undefined>
  /** False when it was changed or ended since. */
  update(id: string, version: number, grant: UpstreamGrant): Promise<boolean>
  /** From now on the grant of an app ends when this does. */
  join(id: string, grantId: string, ttlSeconds: number): Promise<void>
  /** Ends it, and every grant that joined. */
  end(id: string): Promise<void>
  lease(id: string, owner: string, ttlSeconds: number): Promise<boolean>
  release(id: string, owner: string): Promise<void>
}

type Stored = Omit<UpstreamGrant, 'refreshToken' | 'access'> & {
  sealed: string
  access?: Omit<UpstreamAccess, 'token'> & { sealed: string }
}

/** All reject with StorageError `unavailable`. */
export function createUpstreamTokens(driver: Driver, sealing: Sealing): UpstreamTokens {
  const leaseOf = (id: string) => `upstream-refresh:${hashed(id)}`
  const contextOf = (id: string) => `upstream refresh token ${id}`
  const stored = (id: string, { refreshToken, access, ...rest }: UpstreamGrant): Stored => ({
    ...rest,
    sealed: sealing.seal(refreshToken, contextOf(id)),
    ...(access ? { access: sealedAccess(sealing, id, access) } : {}),
  })
  return {
    async create(grant, ttlSeconds) {
      const id = randomBytes(16).toString('base64url')
      await driver.insert(upstreamTokensKey(id), stored(id, grant), ttlSeconds)
      return id
    },
    async read(id) {
      const record = await driver.get(upstreamTokensKey(id))
      if (!record) return undefined
      const { sealed, access, ...rest } = record.value as Stored
      const refreshToken = sealing.unseal(sealed, contextOf(id))
      const opened = access ? { access: openedAccess(sealing, id, access) } : {}
      return { grant: { ...rest, refreshToken, ...opened }, version: record.version }
    },
    update: (id, version, grant) =>
      driver.update(upstreamTokensKey(id), version, stored(id, grant)),
    join: (id, grantId, ttlSeconds) => driver.add(grantsOfUpstreamTokens(id), grantId, ttlSeconds),
    async end(id) {
      const grants = await driver.members(grantsOfUpstreamTokens(id))
      await Promise.all(grants.map((grantId) => revokeGrant(driver, grantId)))
      await forgetUpstreamTokens(driver, id)
    },
    lease: (id, owner, ttlSeconds) => driver.lease(leaseOf(id), owner, ttlSeconds),
    release: (id, owner) => driver.release(leaseOf(id), owner),
  }
}

const accessContextOf = (id: string) => `upstream access token ${id}`

function sealedAccess(sealing: Sealing, id: string, { token, ...rest }: UpstreamAccess) {
  return { ...rest, sealed: sealing.seal(token, accessContextOf(id)) }
}

function openedAccess(
  sealing: Sealing,
  id: string,
  { sealed, ...rest }: NonNullable<Stored['access']>,
): UpstreamAccess {
  return { ...rest, token: sealing.unseal(sealed, accessContextOf(id)) }
}

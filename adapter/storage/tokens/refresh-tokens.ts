// Refresh tokens that are replaced at each use, and what becomes of one that comes back: within the grace it stands for its
// successor once more, as long as nobody has used that one; at any other time everything of its grant ends.
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import { StorageError } from '../../errors.ts'
import { artefactKey, grantIndex } from '../provider/artefact-key.ts'
import { artefactFrom } from '../provider/provider-adapter.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

export interface Rotation {
  driver: DeferringDriver
  /** The value of the token that takes the place of this one: always the same, and never stored. */
  successorOf(value: string): string
  graceSeconds(clientId: string): number
  /** Epoch milliseconds. */
  now: () => number
}

/** The same factory, with refresh tokens that know a grace. */
export function withGrace(factory: AdapterFactory, rotation: Rotation): AdapterFactory {
  return (name) =>
    name === 'RefreshToken' ? refreshTokens(factory(name), rotation) : factory(name)
}

function refreshTokens(adapter: Adapter, rotation: Rotation): Adapter {
  const { driver } = rotation
  return {
    ...delegated(adapter),
    async upsert(id, payload, ttlSeconds = 1) {
      // Whoever replaces the token first writes the successor; the others find it, used or not.
      if (!payload.rotations) return adapter.upsert(id, payload, ttlSeconds)
      const key = artefactKey('RefreshToken', id)
      const artefact = artefactFrom(id, payload)
      if (payload.grantId) await driver.add(grantIndex(payload.grantId), key, ttlSeconds)
      await driver.defer(key, async () => void (await driver.insert(key, artefact, ttlSeconds)))
    },
    async find(id) {
      const payload = await adapter.find(id)
      if (!payload || !isInGrace(payload, rotation)) return payload
      const successor = await adapter.find(rotation.successorOf(id))
      if (successor?.consumed) return payload
      const { consumed: _, ...unused } = payload
      return unused
    },
    async consume(id) {
      if (await driver.consume(artefactKey('RefreshToken', id))) return
      const payload = await adapter.find(id)
      if (payload && isInGrace(payload, rotation)) return
      if (payload?.grantId) await adapter.revokeByGrantId(payload.grantId)
      throw new StorageError(
        'already_consumed',
        'Cannot use the refresh token: it was used before, or is gone',
      )
    },
  }
}

/** A class may be behind it, whose methods a spread would lose. */
function delegated(adapter: Adapter): Adapter {
  return {
    upsert: (id, payload, ttlSeconds) => adapter.upsert(id, payload, ttlSeconds),
    find: (id) => adapter.find(id),
    findByUid: (uid) => adapter.findByUid(uid),
    findByUserCode: (userCode) => adapter.findByUserCode(userCode),
    consume: (id) => adapter.consume(id),
    destroy: (id) => adapter.destroy(id),
    revokeByGrantId: (grantId) => adapter.revokeByGrantId(grantId),
  }
}

/** `consumed` is in whole seconds: up to one of them is given. */
function isInGrace(
  { consumed, clientId }: AdapterPayload,
  { graceSeconds, now }: Rotation,
): boolean {
  const grace = graceSeconds(clientId ?? '')
  return typeof consumed === 'number' && grace > 0 && now() < (consumed + 1 + grace) * 1000
}

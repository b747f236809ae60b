// The provider adapter: what oidc-provider stores, over any driver. Codes and refresh tokens are consumed exactly once,
// a replayed jti is caught exactly once, and a grant is revoked with all that hangs on it.
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { currentContext, noteFields } from '../../../service/request-context.ts'
import { StorageError } from '../../errors.ts'
import { artefactKey, grantIndex } from './artefact-key.ts'
import type { StoredRecord } from '../driver.ts'
import { createProviderSessions } from './provider-sessions.ts'
import { revokeGrant } from '../tokens/revoke-grant.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

const GRANTABLE = new Set([
  'AccessToken',
  'RefreshToken',
  'AuthorizationCode',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
])
/** Records whose finding tells which flow a request belongs to. A session or grant lives through many flows. */
const OF_ONE_FLOW = new Set([...GRANTABLE, 'Interaction', 'PushedAuthorizationRequest'])
/** For what oidc-provider stores without an end. */
const UNLIMITED_SECONDS = 3650 * 86_400

interface Artefact {
  payload: AdapterPayload
  flow_id?: string
}

/** Without what would be usable by whoever reads the store: the artefact's own id, and the session cookie's value. */
function stored(id: string, { jti, ...payload }: AdapterPayload): AdapterPayload {
  const own = jti === undefined || jti === id ? payload : { ...payload, jti }
  if (own['session']?.cookie === undefined) return own
  const { cookie: _cookieValue, ...session } = own['session']
  return { ...own, session }
}

function found(model: string, id: string, { value, consumedAt }: StoredRecord): AdapterPayload {
  const { payload, flow_id } = value as Artefact
  if (
    flow_id !== undefined &&
    OF_ONE_FLOW.has(model) &&
    currentContext()?.fields['flow_id'] === undefined
  )
    noteFields({ flow_id })
  const consumed =
    consumedAt === undefined ? undefined : { consumed: Math.floor(consumedAt / 1000) }
  return { jti: id, ...payload, ...consumed }
}

/** What is stored of it. */
export function artefactFrom(id: string, payload: AdapterPayload): Artefact {
  const flow_id = currentContext()?.fields['flow_id']
  return { payload: stored(id, payload), ...(flow_id !== undefined && { flow_id }) }
}

/** What oidc-provider asks only of a session, or of a device code, which is found in storage/device/. */
function refusals(model: string): Pick<Adapter, 'findByUid' | 'findByUserCode'> {
  return {
    async findByUid() {
      throw new Error(`Cannot find a ${model} by uid: only sessions have one`)
    },
    async findByUserCode() {
      throw new Error(`Cannot find a ${model} by user code: only device codes have one`)
    },
  }
}

function createModelAdapter(
  model: string,
  driver: DeferringDriver,
  revoke: (grantId: string) => Promise<void>,
): Adapter {
  const keyOf = (id: string) => artefactKey(model, id)

  async function upsert(
    id: string,
    payload: AdapterPayload,
    ttlSeconds = UNLIMITED_SECONDS,
  ): Promise<void> {
    const key = keyOf(id)
    if (ttlSeconds <= 0) return driver.delete(key)
    const grantId = GRANTABLE.has(model) ? payload.grantId : undefined
    await Promise.all([
      grantId === undefined ? undefined : driver.add(grantIndex(grantId), key, ttlSeconds),
      driver.set(key, artefactFrom(id, payload), ttlSeconds),
    ])
  }

  return {
    upsert,
    async find(id) {
      const record = await driver.get(keyOf(id))
      return record && found(model, id, record)
    },
    async consume(id) {
      if (await driver.consume(keyOf(id))) return
      throw new StorageError(
        'already_consumed',
        `Cannot consume the ${model}: it was consumed before, or is gone`,
      )
    },
    destroy: (id) => driver.delete(keyOf(id)),
    revokeByGrantId: revoke,
    ...refusals(model),
  }
}

/** oidc-provider looks for the jti and then saves it; of those that looked at the same time, one saves. */
function withSingleUse(adapter: Adapter, driver: DeferringDriver): Adapter {
  return {
    ...adapter,
    async upsert(id, payload, ttlSeconds = UNLIMITED_SECONDS) {
      const isFirst = await driver.insert(
        artefactKey('ReplayDetection', id),
        artefactFrom(id, payload),
        Math.max(ttlSeconds, 1),
      )
      if (!isFirst)
        throw new StorageError(
          'already_consumed',
          'Cannot accept the proof or assertion: its jti was used before',
        )
    },
  }
}

/** oidc-provider asks each model in turn to revoke the same grant, all at once: done once. */
function onceAtATime(
  revoke: (grantId: string) => Promise<void>,
): (grantId: string) => Promise<void> {
  const running = new Map<string, Promise<void>>()
  return (grantId) => {
    const revoking = running.get(grantId) ?? revoke(grantId).finally(() => running.delete(grantId))
    running.set(grantId, revoking)
    return revoking
  }
}

/**
 * oidc-provider's `adapter` option. `consume` and the save of a ReplayDetection reject with StorageError
 * `already_consumed` for all but one caller; everything rejects with `unavailable` when the store fails.
 */
export function createProviderAdapter({
  driver,
}: {
  driver: DeferringDriver
}): (name: string) => Adapter {
  const revoke = onceAtATime((grantId) => revokeGrant(driver, grantId))
  return (name) => {
    const adapter = createModelAdapter(name, driver, revoke)
    if (name === 'Session') return { ...adapter, ...createProviderSessions(driver) }
    return name === 'ReplayDetection' ? withSingleUse(adapter, driver) : adapter
  }
}

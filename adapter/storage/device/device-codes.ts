// What the provider adapter does beside the rest for device codes (RFC 8628): finds them by what the person types, and lets
// one person decide about each, once. Neither of the two codes can be read from the store.
import { createHmac } from 'node:crypto'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import { StorageError } from '../../errors.ts'
import { hashed } from '../provider/artefact-key.ts'
import type { Sealing } from '../sealing/sealing.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

/** Kept beyond their end, so that a device learns `expired_token`, and a person that it is too late. */
const AFTERLIFE_SECONDS = 600
const CONTEXT = 'device-code'

export interface DeviceCodeOptions {
  driver: DeferringDriver
  sealing: Sealing
  /** Secret of all instances: user codes are too short for a plain hash. */
  key: Uint8Array
}

/** The same adapters; a second decision about a device code is refused with StorageError `already_consumed`. */
export function withDeviceCodes(
  factory: AdapterFactory,
  options: DeviceCodeOptions,
): AdapterFactory {
  return (name) => {
    const adapter = factory(name)
    if (name === 'DeviceCode') return { ...adapter, ...deviceCodes(adapter, options) }
    return name === 'Interaction' ? { ...adapter, ...sealedIn(adapter, options.sealing) } : adapter
  }
}

function deviceCodes(
  adapter: Adapter,
  { driver, sealing, key }: DeviceCodeOptions,
): Pick<Adapter, 'upsert' | 'findByUserCode'> {
  const ofUserCodes = createHmac('sha256', key).update('user codes').digest()
  const pointerKey = (userCode: string) =>
    `UserCode:${createHmac('sha256', ofUserCodes).update(userCode).digest('base64url')}`

  /** Open at first; then one browser takes it; then it is settled. Whoever comes second is refused. */
  async function isFirst(id: string, payload: AdapterPayload, ttlSeconds: number) {
    const { userCode, inFlight, accountId, error } = payload
    if (accountId !== undefined || error !== undefined)
      return driver.insert(`DeviceCodeSettled:${hashed(id)}`, 1, ttlSeconds)
    const pointer = pointerKey(userCode ?? '')
    if (inFlight) return driver.consume(pointer)
    await driver.set(pointer, sealing.seal(id, CONTEXT), ttlSeconds)
    return true
  }

  return {
    async upsert(id, payload, ttlSeconds) {
      const lifeSeconds = Math.max(ttlSeconds ?? 1, 1) + AFTERLIFE_SECONDS
      if (!(await isFirst(id, payload, lifeSeconds))) throw decidedBefore()
      const { userCode: _userCode, ...rest } = payload
      await adapter.upsert(id, rest, lifeSeconds)
    },
    async findByUserCode(userCode) {
      const pointer = await driver.get(pointerKey(userCode))
      if (!pointer) return undefined
      const found = await adapter.find(sealing.unseal(pointer.value as string, CONTEXT))
      return found && { ...found, userCode }
    },
  }
}

/** The interaction of a device authorization holds the device code. */
function sealedIn(adapter: Adapter, sealing: Sealing): Pick<Adapter, 'upsert' | 'find'> {
  return {
    async upsert(id, payload, ttlSeconds) {
      const { deviceCode } = payload as { deviceCode?: string }
      const sealed = deviceCode && { deviceCode: sealing.seal(deviceCode, CONTEXT) }
      await adapter.upsert(id, { ...payload, ...sealed }, ttlSeconds)
    },
    async find(id) {
      const found = await adapter.find(id)
      const { deviceCode } = (found ?? {}) as { deviceCode?: string }
      if (deviceCode === undefined) return found
      return { ...found, deviceCode: sealing.unseal(deviceCode, CONTEXT) } as AdapterPayload
    },
  }
}

function decidedBefore(): StorageError {
  return new StorageError('already_consumed', 'Cannot decide about a device code a second time')
}

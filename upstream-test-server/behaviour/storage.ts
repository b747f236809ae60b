// What lies between oidc-provider and its storage: the issuer's clock, and how refresh tokens are used up.
// The library lives in the system's time; the storage holds the issuer's, so that moving the clock ages what is stored.
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { ProviderStorage } from '../provider/provider-adapter.ts'
import { shiftStored } from './clock.ts'
import type { Clock } from './clock.ts'
import type { RefreshRules } from './refresh.ts'

function onClock(adapter: Adapter, { offsetSeconds }: Clock): Adapter {
  const read = (payload: AdapterPayload | undefined | void) =>
    payload ? shiftStored(payload, -offsetSeconds()) : undefined
  return {
    ...adapter,
    upsert: (id, payload, expiresIn) =>
      adapter.upsert(id, shiftStored(payload, offsetSeconds()), expiresIn),
    find: async (id) => read(await adapter.find(id)),
    findByUid: async (uid) => read(await adapter.findByUid(uid)),
  }
}

/** The library takes the whole family back when a used token returns; two modes are milder than that. */
function usedUpAsTold(adapter: Adapter, rules: RefreshRules): Adapter {
  return {
    ...adapter,
    async consume(id) {
      if (rules.current().mode !== 'rotating') await adapter.consume(id)
    },
    async find(id) {
      const payload = await adapter.find(id)
      const isUsed = payload !== undefined && 'consumed' in Object(payload)
      return isUsed && rules.current().mode === 'one_time' ? undefined : payload
    },
  }
}

export interface StorageRules {
  clock: Clock
  refresh: RefreshRules
}

/** `storage` keeps its expiry by the issuer's clock. */
export function behavingStorage(storage: ProviderStorage, rules: StorageRules): ProviderStorage {
  const adapterFor = (model: string): Adapter => {
    const adapter = onClock(storage.adapterFor(model), rules.clock)
    return model === 'RefreshToken' ? usedUpAsTold(adapter, rules.refresh) : adapter
  }
  return { ...storage, adapterFor }
}

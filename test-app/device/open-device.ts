// The device that this app plays, put together.
import type { Log } from '../../service/log.ts'
import { createDeviceClient } from './device-client.ts'
import { createDeviceHandlers } from './device-handlers.ts'
import type { DeviceHandlersOptions } from './device-handlers.ts'
import { createDeviceRuns } from './device-runs.ts'

export interface DeviceOptions extends Omit<DeviceHandlersOptions, 'runs' | 'clientId'> {
  readonly issuer: string
  readonly deviceClientId?: string
  readonly log: Log
  readonly now: () => number
}

export function openDevice({ deviceClientId: clientId = 'device', ...options }: DeviceOptions) {
  const { issuer, log, now } = options
  const runs = createDeviceRuns({
    deviceClient: createDeviceClient({ issuer, clientId, now }),
    log,
  })
  return { runs, ...createDeviceHandlers({ ...options, runs, clientId }) }
}

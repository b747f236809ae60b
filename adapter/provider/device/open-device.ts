// Puts together the device authorization grant: storage, pages, limits. Nothing of it is there unless a client has the grant.
import { errors, Provider, type AdapterFactory, type Configuration } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import { withDeviceCodes } from '../../storage/device/device-codes.ts'
import { createUserCodeTries, type UserCodeTries } from '../../storage/device/user-code-tries.ts'
import type { Sealing } from '../../storage/sealing/sealing.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import type { UnitOfWork } from '../../storage/unit-of-work.ts'
import { clientAddress } from '../../../service/forwarded.ts'
import { trustedProxies } from '../../../service/trusted-proxies.ts'
import type { ShowError } from '../middleware.ts'
import { servesDevices } from './device-grant.ts'
import { deviceMiddleware } from './device-middleware.ts'
import { createDevicePages } from './device-pages.ts'

export interface DeviceParts {
  config: Pick<Config, 'clients' | 'trusted_proxies'>
  adapter: AdapterFactory
  unitOfWork: UnitOfWork
  identities: Identities
  sealing: Sealing
  /** 32 bytes that all instances share; what user codes are found by is made with it. */
  subjectKey: Uint8Array
  showError: ShowError
}

export interface Device {
  adapter: AdapterFactory
  /** oidc-provider's `features.deviceFlow`. */
  feature: NonNullable<NonNullable<Configuration['features']>['deviceFlow']>
  middleware: ReturnType<typeof deviceMiddleware>
}

export function openDevice(parts: DeviceParts): Device {
  const { config, unitOfWork, adapter } = parts
  if (!servesDevices(config)) return { adapter, feature: { enabled: false }, middleware: [] }
  const { driver } = unitOfWork
  const found = withDeviceCodes(adapter, { driver, sealing: parts.sealing, key: parts.subjectKey })
  return {
    adapter: withTries(found, createUserCodeTries(driver), config),
    feature: {
      enabled: true,
      charset: 'base-20',
      mask: '****-****',
      // Nobody is shown where the device stands, so it is not kept.
      deviceInfo: () => ({}),
      ...createDevicePages(parts),
    } as Device['feature'],
    middleware: deviceMiddleware(driver),
  }
}

class TooManyTries extends errors.OIDCProviderError {
  override name = 'TooManyTries'
  override error_description = 'too many codes were tried'
  override expose = true
  constructor() {
    super(429, 'slow_down')
  }
}

/** A51: codes are looked up only while few were wrong. */
function withTries(
  factory: AdapterFactory,
  tries: UserCodeTries,
  { trusted_proxies: proxies }: DeviceParts['config'],
): AdapterFactory {
  const trusted = trustedProxies(proxies)
  const address = () => (Provider.ctx ? clientAddress(Provider.ctx.req, trusted) : '')
  return (name) => {
    const adapter = factory(name)
    if (name !== 'DeviceCode') return adapter
    return {
      ...adapter,
      async findByUserCode(userCode) {
        const attempt = await tries.begin(address())
        if (!attempt.isAllowed) throw new TooManyTries()
        const found = await adapter.findByUserCode(userCode)
        if (found) await attempt.forgive()
        return found
      },
    }
  }
}

// Device authorization (RFC 8628) as a device does it: asks for codes, and polls until somebody decided.
import * as client from 'openid-client'
import { keepKeys, keepMetadata } from '../relying-party/adapter-metadata.ts'
import type { AdapterOptions } from '../relying-party/adapter-metadata.ts'
import { signInError } from '../relying-party/translate-error.ts'
import type { Claims } from '../session/session-data.ts'

const SCOPE = 'openid profile'

/** What is shown while somebody has to type. */
export interface ShownCodes {
  readonly userCode: string
  readonly verificationUri: string
  readonly verificationUriComplete: string | undefined
  readonly expiresInSeconds: number
}

export interface StartedDevice {
  readonly codes: ShownCodes
  /** The claims of who signed in. @throws {SignInError} with what the adapter said; or when `signal` aborts */
  poll(signal: AbortSignal): Promise<Claims>
}

export interface DeviceClient {
  /** @throws {SignInError} adapter_unavailable, or refused: no such client there */
  start(): Promise<StartedDevice>
}

export function createDeviceClient(options: AdapterOptions): DeviceClient {
  const metadata = keepMetadata(options)
  const configure = keepKeys(options)
  return {
    async start() {
      const { config, rememberKeys } = configure(await metadata.fresh())
      const codes = await client
        .initiateDeviceAuthorization(config, { scope: SCOPE })
        .catch(refused)
      return {
        codes: {
          userCode: codes.user_code,
          verificationUri: codes.verification_uri,
          verificationUriComplete: codes.verification_uri_complete,
          expiresInSeconds: codes.expires_in,
        },
        // It keeps to the interval, and to slow_down: https://www.rfc-editor.org/rfc/rfc8628#section-3.5
        poll: async (signal) => {
          const tokens = await client
            .pollDeviceAuthorizationGrant(config, codes, undefined, { signal })
            .catch(refused)
          rememberKeys()
          return tokens.claims() ?? {}
        },
      }
    },
  }
}

function refused(error: unknown): never {
  throw signInError(error)
}

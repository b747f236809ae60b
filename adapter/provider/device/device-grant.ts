// The names and times of the device authorization grant (RFC 8628).
import type { Config } from '../../config/schema.ts'

/** https://www.rfc-editor.org/rfc/rfc8628#section-3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

export const DEVICE_ROUTES = {
  device_authorization: '/oauth2/device_authorization',
  code_verification: '/device',
} as const

/** Seconds: the time to find a browser, and to sign in. */
export const DEVICE_CODE_TTL = 600
/** https://www.rfc-editor.org/rfc/rfc8628#section-3.2: seconds between two polls. */
export const POLL_INTERVAL = 5

/** Off unless a client has it. */
export function servesDevices({ clients }: Pick<Config, 'clients'>): boolean {
  return Object.values(clients).some(({ grant_types }) => grant_types.includes(DEVICE_GRANT))
}

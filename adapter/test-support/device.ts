// A device for tests: asks for codes, shows them, polls. It judges nothing.
import { basic } from './app.ts'
import type { Setting } from './chain.ts'

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

export interface DeviceAnswer {
  device_code: string
  user_code: string
  verification_uri: string
  verification_uri_complete: string
  expires_in: number
  interval: number
  error?: string
}

/** Settings of two devices: a television without a secret, and a printer with one. */
export const DEVICES: Setting = {
  television: {
    client_name: 'The <Television>',
    grant_types: [DEVICE_GRANT],
    scope: 'openid profile read offline_access',
    refresh: { when: 'offline_access' },
  },
  printer: {
    client_secret: 'printer-secret',
    grant_types: [DEVICE_GRANT],
    scope: 'openid profile',
  },
}

type Form = Readonly<Record<string, string>>

export function createDevice(issuer: string, clientId = 'television', secret?: string) {
  async function send(path: string, form: Form) {
    const headers: Record<string, string> =
      secret === undefined ? {} : { authorization: basic(clientId, secret) }
    const body = new URLSearchParams({
      ...(secret === undefined ? { client_id: clientId } : {}),
      ...form,
    })
    const response = await fetch(new URL(path, issuer), { method: 'POST', headers, body })
    const type = response.headers.get('content-type') ?? ''
    const answer: unknown = type.includes('json') ? await response.json() : await response.text()
    return { status: response.status, headers: response.headers, body: answer }
  }
  return {
    async start(form: Form = {}) {
      const answer = await send('/oauth2/device_authorization', {
        scope: 'openid profile read',
        ...form,
      })
      return { ...answer, body: answer.body as DeviceAnswer }
    },
    async poll(deviceCode: string, form: Form = {}) {
      const answer = await send('/oauth2/token', {
        grant_type: DEVICE_GRANT,
        device_code: deviceCode,
        ...form,
      })
      return { ...answer, body: answer.body as Record<string, string> }
    },
    send,
  }
}

// The identity service behind this app: for the app itself, and through the gateway.
import type { Log } from '../../service/log.ts'
import type { IsTrusted } from '../../service/trusted-proxies.ts'
import { createForward } from './forward.ts'
import { createGateway } from './gateway.ts'
import { createIdentityService } from './identity-client.ts'

export interface IdentityOptions {
  /** Origin of the identity service. */
  readonly identityUrl: string
  /** Origin of this app. */
  readonly url: string
  readonly log: Log
  readonly trusted: IsTrusted
}

export function openIdentity({ identityUrl, url, log, trusted }: IdentityOptions) {
  const forward = createForward({ identityUrl, log })
  return {
    identity: createIdentityService(forward),
    gateway: createGateway({ forward, url, trusted }),
  }
}

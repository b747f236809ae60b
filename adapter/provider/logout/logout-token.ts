// Logout tokens for apps, made like ID tokens: by the same keys and algorithm, and with the `sub` that the app knows.
import { randomBytes } from 'node:crypto'
import type { Provider } from 'oidc-provider'
import type { ClientConfig } from '../../config/schema.ts'
import type { SignLogoutToken } from '../../logout/down/deliver-logouts.ts'

/** Exists at run time, and is not typed. */
interface LogoutTokenBuilder {
  mask: object
  set(name: string, value: unknown): void
  issue(options: { use: 'logout' }): Promise<string>
}
type IdTokenConstructor = new (available: object, context: object) => LogoutTokenBuilder

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

export function createSignLogoutToken(provider: () => Provider): SignLogoutToken {
  return async ({ clientId, accountId, sid }) => {
    const client = await provider().Client.find(clientId)
    if (!client) return undefined
    const { IdToken } = provider() as unknown as { IdToken: IdTokenConstructor }
    const token = new IdToken({ sub: accountId }, { client, ctx: undefined })
    token.mask = { sub: null }
    // https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
    token.set('events', { [EVENT]: {} })
    token.set('jti', randomBytes(16).toString('base64url'))
    if (sid !== undefined) token.set('sid', sid)
    return token.issue({ use: 'logout' })
  }
}

/**
 * Lets ID tokens name the session to apps that are told of its end. oidc-provider would do so only for those that it tells
 * itself, once, and while the person waits; it does not know their addresses.
 */
export function nameSessions(
  provider: Provider,
  clients: Readonly<Record<string, ClientConfig>>,
): void {
  const { prototype } = provider.Client as unknown as { prototype: { includeSid(): boolean } }
  Object.defineProperty(prototype, 'includeSid', {
    value(this: { clientId: string }): boolean {
      return isToldSession(clients[this.clientId])
    },
  })
}

function isToldSession(client: ClientConfig | undefined): boolean {
  if (client?.frontchannel_logout_uri !== undefined) return true
  return client?.backchannel_logout_uri !== undefined && client.backchannel_logout_session_required
}

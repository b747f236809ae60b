// A person signs out here: the clients of that session are told by a logout token each. Nobody waits for them.
import type { default as Provider, KoaContextWithOIDC } from 'oidc-provider'
import type { UpstreamClient } from '../../provider/provider.ts'
import type { LogoutTokens } from './logout-token.ts'

export interface TellClientsOptions {
  clients: readonly UpstreamClient[]
  logoutTokens: LogoutTokens
}

interface EndedSession {
  destroyed?: boolean
  accountId?: string
  authorizations?: Record<string, { sid?: string }>
}

export function tellClientsOfLogout(
  provider: Provider,
  { clients, logoutTokens }: TellClientsOptions,
): void {
  provider.on('end_session.success', ({ oidc }: KoaContextWithOIDC) => {
    const session = oidc.session as unknown as EndedSession | undefined
    if (!session?.destroyed) return
    for (const { clientId, backchannelLogoutUri: to } of clients) {
      const sid = session.authorizations?.[clientId]?.sid
      if (to !== undefined && sid !== undefined)
        void logoutTokens.send({ to, clientId, sub: session.accountId ?? '', sid })
    }
  })
}

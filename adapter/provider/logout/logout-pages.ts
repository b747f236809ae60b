// What oidc-provider shows around RP-initiated logout, on pages of our own.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import { loggedOutPage, logoutPage } from '../../pages/logout-page.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import { allowFormTargets } from '../../../service/security-headers.ts'
import type { SignOut } from './sign-out.ts'

export interface LogoutPagesOptions {
  config: Pick<Config, 'clients' | 'upstreams'>
  identities: Pick<Identities, 'find'>
  signOut: Pick<SignOut, 'offer'>
}

/** https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout */
export function createLogoutPages({ config, identities, signOut }: LogoutPagesOptions) {
  const { clients, upstreams } = config
  return {
    async logoutSource(ctx: KoaContextWithOIDC, formHtml: string): Promise<void> {
      const identity = await identities.find(ctx.oidc.session?.uid ?? '')
      const upstream = identity && (await signOut.offer(identity))
      const targets = [ctx.oidc.params?.['post_logout_redirect_uri'], upstream?.url]
      allowFormTargets(
        ctx.res,
        targets.filter((target) => typeof target === 'string'),
      )
      ctx.body = logoutPage({ formHtml, clientName: named(ctx), upstream })
    },
    postLogoutSuccessSource(ctx: KoaContextWithOIDC): void {
      const { client_uri: clientUri } = clients[ctx.oidc.client?.clientId ?? ''] ?? {}
      const at = String(ctx.query['upstream'] ?? '')
      const known = Object.hasOwn(upstreams, at) ? upstreams[at] : undefined
      ctx.type = 'html'
      ctx.body = loggedOutPage({
        clientName: named(ctx),
        clientUri,
        upstreamName: known && (known.display_name ?? at),
      })
    },
  }
}

function named(ctx: KoaContextWithOIDC): string | undefined {
  return ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId
}

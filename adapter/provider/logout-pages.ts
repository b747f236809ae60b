// What oidc-provider shows around RP-initiated logout, on pages of our own.
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ClientConfig } from '../config/schema.ts'
import { loggedOutPage, logoutPage } from '../pages/logout-page.ts'
import { allowFormTargets } from '../../service/security-headers.ts'

/** https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout */
export function createLogoutPages(clients: Record<string, ClientConfig>) {
  return {
    logoutSource(ctx: KoaContextWithOIDC, formHtml: string): void {
      const target = ctx.oidc.params?.['post_logout_redirect_uri']
      allowFormTargets(ctx.res, typeof target === 'string' ? [target] : [])
      ctx.body = logoutPage({ formHtml, clientName: named(ctx) })
    },
    postLogoutSuccessSource(ctx: KoaContextWithOIDC): void {
      ctx.type = 'html'
      ctx.body = loggedOutPage({
        clientName: named(ctx),
        clientUri: clients[ctx.oidc.client?.clientId ?? '']?.client_uri,
      })
    },
  }
}

function named(ctx: KoaContextWithOIDC): string | undefined {
  return ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId
}

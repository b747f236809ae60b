// oidc-provider's `interactions.url`: picks the upstream of a login and binds the login to this browser.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { currentContext } from '../../service/request-context.ts'
import type { LoginBinding } from './login-binding.ts'
import { startPath } from './start-login.ts'

export function createInteractionUrl({
  upstream,
  binding,
}: {
  upstream: string
  binding: LoginBinding
}) {
  return (ctx: KoaContextWithOIDC, { uid }: { uid: string }): string => {
    const login = {
      clientId: ctx.oidc.client?.clientId ?? '',
      flowId: currentContext()?.fields['flow_id'] ?? '',
    }
    for (const cookie of binding.bind(uid, login, ctx.get('cookie') || undefined))
      ctx.append('set-cookie', cookie)
    return startPath(upstream, uid)
  }
}

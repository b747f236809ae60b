// oidc-provider's `interactions.url`: sends a login to its upstream or to the chooser, and binds it to this browser.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { currentContext } from '../../service/request-context.ts'
import type { UpstreamChooser } from './choose/choose-upstream.ts'
import type { LoginBinding } from './login-binding.ts'
import { chooserPath, startPath } from './start-login.ts'

export function createInteractionUrl({
  chooser,
  binding,
}: {
  chooser: Pick<UpstreamChooser, 'choose'>
  binding: LoginBinding
}) {
  return (ctx: KoaContextWithOIDC, { uid }: { uid: string }): string => {
    const clientId = ctx.oidc.client?.clientId ?? ''
    const login = { clientId, flowId: currentContext()?.fields['flow_id'] ?? '' }
    for (const cookie of binding.bind(uid, login, ctx.get('cookie') || undefined))
      ctx.append('set-cookie', cookie)
    const choice = chooser.choose({ clientId, params: { ...ctx.oidc.params } })
    return choice.kind === 'upstream' ? startPath(choice.name, uid) : chooserPath(uid)
  }
}

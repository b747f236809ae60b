// oidc-provider's `interactions.url`: sends a login to its upstream or to the chooser, and binds it to this browser.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { currentContext } from '../../service/request-context.ts'
import type { UpstreamChooser } from './choose/choose-upstream.ts'
import type { LoginBinding } from './login-binding.ts'
import type { ClientConfig } from '../config/schema.ts'
import { asksForConsent, consentPath } from './consent/consent-path.ts'
import { chooserPath, startPath } from './start-login.ts'

interface Pending {
  uid: string
  prompt?: { name: string }
}

export function createInteractionUrl({
  clients,
  chooser,
  binding,
}: {
  clients: Readonly<Record<string, Pick<ClientConfig, 'third_party'>>>
  chooser: Pick<UpstreamChooser, 'choose'>
  binding: LoginBinding
}) {
  return (ctx: KoaContextWithOIDC, { uid, prompt }: Pending): string => {
    const clientId = ctx.oidc.client?.clientId ?? ''
    const login = { clientId, flowId: currentContext()?.fields['flow_id'] ?? '' }
    for (const cookie of binding.bind(uid, login, ctx.get('cookie') || undefined))
      ctx.append('set-cookie', cookie)
    if (asksForConsent(clients[clientId], prompt, { ...ctx.oidc.params })) return consentPath(uid)
    const choice = chooser.choose({ clientId, params: { ...ctx.oidc.params } })
    return choice.kind === 'upstream' ? startPath(choice.name, uid) : chooserPath(uid)
  }
}

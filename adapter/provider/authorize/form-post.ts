// The page of response_mode=form_post (OAuth 2.0 Form Post Response Mode, section 2), and the other pages on which
// oidc-provider wants a form to be sent at once. They work without JavaScript.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { autoSubmitScriptHash, redirectFormPage } from '../../pages/redirect-form-page.ts'
import { allowFormTargets, allowInlineScript } from '../../../service/security-headers.ts'

// https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html#FormPostResponseMode
export function formPost(
  ctx: KoaContextWithOIDC,
  redirectUri: string,
  fields: Record<string, string>,
): void {
  // No form reaches an app by a private-use scheme. Its clients may not ask for one (clients.ts); the refusal goes in the query.
  if (!/^https?:/.test(redirectUri)) return ctx.redirect(withQuery(redirectUri, fields))
  ctx.status = fields['error'] === undefined ? 200 : 400
  showForm(ctx, redirectUri, fields, [redirectUri])
}

/** The form may lead to `targets` too: Chromium applies form-action to the redirects that follow a form. */
export function showForm(
  ctx: KoaContextWithOIDC,
  action: string,
  fields: Record<string, string>,
  targets: readonly string[],
): void {
  allowFormTargets(ctx.res, targets)
  allowInlineScript(ctx.res, autoSubmitScriptHash)
  ctx.type = 'html'
  ctx.body = redirectFormPage({ action, fields, clientName: ctx.oidc.client?.clientName })
}

function withQuery(uri: string, fields: Record<string, string>): string {
  const url = new URL(uri)
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value)
  return url.href
}

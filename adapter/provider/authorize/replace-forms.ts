// Two pages of oidc-provider send a form to its logout: one when another person signed in than the session knows (A08), one
// when there is no session to ask about. Both become ours; an app that wants no page gets an answer in place of the first.
import type { Interaction, KoaContextWithOIDC } from 'oidc-provider'
import { ROUTES } from '../routes.ts'
import { showForm } from './form-post.ts'
import type { RequestedContext } from './requested-context.ts'

const ROUTES_WITH_FORMS = new Set(['resume', 'device_resume', 'end_session'])

type Next = () => Promise<unknown>

export function replaceForms({ markers }: Pick<RequestedContext, 'markers'>, now: () => number) {
  return async (ctx: KoaContextWithOIDC, next: Next): Promise<void> => {
    await next()
    const secret = (ctx.oidc?.session?.state as { secret?: string } | undefined)?.secret
    const isForm =
      ctx.status === 200 &&
      typeof ctx.body === 'string' &&
      ctx.body.includes('<title>Submitting Callback</title>')
    if (!isForm || !secret || !ROUTES_WITH_FORMS.has(ctx.oidc.route)) return
    const interaction = ctx.oidc.entities.Interaction
    if (interaction?.params[markers.silent] !== undefined)
      return refuseSilently(ctx, interaction, now)
    showForm(ctx, `${ROUTES.end_session}/confirm`, { xsrf: secret, logout: 'yes' }, wayOn(ctx))
  }
}

/** A session of somebody else began during the silent trip. The request is resumed once more, with the refusal as its result. */
async function refuseSilently(
  ctx: KoaContextWithOIDC,
  interaction: Interaction,
  now: () => number,
): Promise<void> {
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthError
  const error_description = 'another end-user is signed in here'
  interaction.result = { error: 'login_required', error_description }
  await interaction.save(interaction.exp - Math.floor(now() / 1000))
  ctx.redirect(interaction.returnTo)
}

/** Where the redirects after that form may lead: the app of the request. */
function wayOn(ctx: KoaContextWithOIDC): string[] {
  const params = (ctx.oidc.entities.Interaction?.params ?? ctx.oidc.params ?? {}) as Record<
    string,
    unknown
  >
  return [params['redirect_uri'], params['post_logout_redirect_uri']].filter(
    (uri) => typeof uri === 'string',
  )
}

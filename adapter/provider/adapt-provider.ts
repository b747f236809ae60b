// What oidc-provider has no setting for, done to the instance: a page of our own for form_post, URLs from the issuer alone,
// and only ID tokens as hints. Looks into its internals: to be read again at each upgrade.
import { decodeJwt } from 'jose'
import { Provider } from 'oidc-provider'
import { formPost } from './authorize/form-post.ts'

/** oidc-provider has no other way to serve form_post with a page of our own. */
export class AdapterProvider extends Provider {
  override registerResponseMode(name: string, handler: (...parameters: never[]) => unknown): void {
    const base = Provider.prototype as unknown as {
      registerResponseMode(name: string, handler: unknown): void
    }
    base.registerResponseMode.call(this, name, name === 'form_post' ? formPost : handler)
  }
}

/** URLs in metadata, redirects and forms come from the configured issuer, never from Host or a forwarded header (A35). */
export function trustOnlyTheIssuer(provider: Provider): void {
  const issuer = new URL(provider.issuer)
  const request = (provider as unknown as { request: object }).request
  Object.defineProperties(request, {
    protocol: { get: () => issuer.protocol.slice(0, -1) },
    host: { get: () => issuer.host },
  })
}

/** Our access tokens have the same issuer, audience and key, and some the same type; but only they name a client. */
export function takeOnlyIdTokensAsHint(provider: Provider): void {
  const { IdToken } = provider as unknown as {
    IdToken: { validate(jwt: string, client: unknown): Promise<unknown> }
  }
  const validate = IdToken.validate.bind(IdToken)
  IdToken.validate = async (jwt, client) => {
    // RFC 8725, section 3.11: https://www.rfc-editor.org/rfc/rfc8725#section-3.11
    if (decodeJwt(jwt)['client_id'] !== undefined)
      throw new TypeError('expected an ID token, got an access token')
    return validate(jwt, client)
  }
}

// Single claims that an app asked userinfo for (`claims`), as its access token remembers them: those of its own request, not
// of others in the same session. What the app may have at all is decided where the grant is made (people/grants.ts).
import type { KoaContextWithOIDC } from 'oidc-provider'

/** In an access token of ours, the list of their names. */
const NAME = 'userinfo_claims'

interface Requesting {
  claims?: { userinfo?: Readonly<Record<string, unknown>> | null }
}

/** For the access token that this request gives. https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter */
export function rememberClaims({ oidc }: KoaContextWithOIDC): Record<string, string[]> {
  const { AuthorizationCode, RefreshToken, DeviceCode, Grant } = oidc.entities
  const source = (AuthorizationCode ?? RefreshToken ?? DeviceCode) as Requesting | undefined
  const granted = new Set(Grant?.getOIDCClaims())
  // Made-up names would only make the token larger.
  const names = Object.keys(source?.claims?.userinfo ?? {}).filter((name) => granted.has(name))
  return names.length === 0 ? {} : { [NAME]: names }
}

/** Of a token of ours. A mapped claim may have the same name, and other contents. */
export function rememberedClaims(claims: Readonly<Record<string, unknown>> = {}): string[] {
  const names = claims[NAME]
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
}

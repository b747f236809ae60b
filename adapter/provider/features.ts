// Which of oidc-provider's features are on, and what they are told. Anything not listed here is off.
import type { Client, Configuration } from 'oidc-provider'
import type { Config } from '../config/schema.ts'
import { assertAcrClaim } from './authorize/requested-context.ts'
import type { ProviderParts } from './configuration.ts'
import { dpopFeature } from './dpop/dpop-settings.ts'
import { externalSigning } from './keys/provider-keystore.ts'
import { requestObjects } from './pushed/request-objects.ts'
import { resourceIndicators } from './resources.ts'

const usesGrant = ({ clients }: Config, grantType: 'client_credentials'): boolean =>
  Object.values(clients).some(({ grant_types }) => grant_types.includes(grantType))

/** Where oidc-provider asks more of an app for the profile; what the profile sets stands in its settings (config/profiles.ts). */
function fapi({ clients }: Config) {
  const isFapi = (clientId = '') => clients[clientId]?.profile === 'fapi2'
  return {
    enabled: Object.keys(clients).some(isFapi),
    profile: (_ctx: unknown, client?: Client) => (isFapi(client?.clientId) ? '2.0' : undefined),
  }
}

export function features(parts: ProviderParts): NonNullable<Configuration['features']> {
  const off = { enabled: false }
  return {
    // Advertised, and metadata of clients accepted; apps are told by logout/, not by oidc-provider.
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true, assertClaimsParameter: assertAcrClaim },
    ...parts.tokenEndpoints,
    clientCredentials: { enabled: usesGrant(parts.config, 'client_credentials') },
    ...externalSigning(parts.signingKeys),
    deviceFlow: parts.deviceFlow,
    devInteractions: off,
    dPoP: dpopFeature(parts.subjectKey),
    fapi: fapi(parts.config),
    pushedAuthorizationRequests: { enabled: true },
    requestObjects: requestObjects(parts.config, parts.now),
    resourceIndicators: resourceIndicators(parts.config, parts.signingKeys),
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: parts.logoutSource,
      postLogoutSuccessSource: parts.postLogoutSuccessSource,
    },
    // Makes it advertised and `claims.userinfo` accepted. The endpoint is ours (userinfo.ts): the built-in one can not
    // answer for JWT access tokens, and no request reaches it.
    userinfo: { enabled: true },
  } as NonNullable<Configuration['features']>
}

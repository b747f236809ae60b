// Tokens that are bound to a key of the app (RFC 9449), as oidc-provider issues them: algorithms, and nonces that every
// instance knows. Whether a proof fits where oidc-provider does not answer is proof-check.ts.
import { hkdfSync } from 'node:crypto'
import type { Configuration } from 'oidc-provider'

/** Asymmetric, and none that FAPI 2.0 leaves out: https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1 */
export const PROOF_ALGS = ['ES256', 'EdDSA', 'Ed25519', 'PS256'] as const

/** Seconds that the clock of an app may be off, either way: oidc-provider's own. */
export const PROOF_WINDOW = 300

/** oidc-provider's `features.dPoP`. `key` is any secret of ours that all instances share; it is not used as it is. */
export function dpopFeature(key: Uint8Array): NonNullable<Configuration['features']>['dPoP'] {
  const nonceSecret = Buffer.from(hkdfSync('sha256', key, '', 'nonces of DPoP proofs', 32))
  return { enabled: true, nonceSecret, requireNonce: () => false }
}

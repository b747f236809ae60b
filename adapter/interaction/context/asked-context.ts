// What an authorization request asks of the authentication behind it. Reads the app's parameters and judges nothing.

type Params = Readonly<Record<string, unknown>>

export interface AskedContext {
  /** Names of `acr`, the one wanted most first. */
  acr: readonly string[]
  /** By the `claims` parameter: nothing else will do. */
  isAcrEssential: boolean
  /** Seconds. 0: the person has to sign in anew. */
  maxAge: number | undefined
  /** The ID token has to say when it was. */
  wantsAuthTime: boolean
  /** `prompt=none`, which the upstream is asked for. */
  isSilent: boolean
}

/**
 * Parameters that only we set: oidc-provider answers `prompt=none` itself, and turns `max_age=0` into `prompt=login`, before
 * a login begins.
 */
export const MARKERS = { silent: 'adapter_prompt_none', anew: 'adapter_max_age_zero' } as const

/** Longer lists are cut: each name is compared and sent. */
const MAX_NAMES = 20

export function askedContext(params: Params): AskedContext {
  const { acr, auth_time } = idTokenClaims(params['claims'])
  const byClaim = acrOfClaim(acr)
  const byValues = typeof params['acr_values'] === 'string' ? params['acr_values'].split(' ') : []
  // https://openid.net/specs/openid-connect-core-1_0.html#acrSemantics
  const isAcrEssential = byClaim.length > 0 && isMap(acr) && acr['essential'] === true
  const names = isAcrEssential ? byClaim : [...byValues, ...byClaim]
  return {
    acr: [...new Set(names.filter(Boolean))].slice(0, MAX_NAMES),
    isAcrEssential,
    maxAge: maxAgeOf(params),
    wantsAuthTime: auth_time !== undefined,
    isSilent: params[MARKERS.silent] !== undefined,
  }
}

function maxAgeOf(params: Params): number | undefined {
  if (params[MARKERS.anew] !== undefined) return 0
  return params['max_age'] === undefined ? undefined : Number(params['max_age'])
}

/** `id_token` of the claims parameter; oidc-provider has refused what is not JSON (OpenID Connect Core, section 5.5). */
function idTokenClaims(claims: unknown): Params {
  // https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter
  if (typeof claims !== 'string') return {}
  const { id_token } = JSON.parse(claims) as { id_token?: unknown }
  return isMap(id_token) ? id_token : {}
}

function acrOfClaim(acr: unknown): string[] {
  if (!isMap(acr)) return []
  const values = Array.isArray(acr['values']) ? (acr['values'] as unknown[]) : []
  return [acr['value'], ...values].filter((name) => typeof name === 'string')
}

function isMap(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

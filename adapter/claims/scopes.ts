// Which scope releases which claim: the standard ones as the specification groups them, the rest with `openid`.

// https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims
const STANDARD_SCOPES: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

const SCOPE_OF = new Map(
  Object.entries(STANDARD_SCOPES).flatMap(([scope, names]) =>
    names.map((name) => [name, scope] as const),
  ),
)

/** The scope that releases a claim. */
export function scopeOf(claim: string): string {
  return SCOPE_OF.get(claim) ?? 'openid'
}

type Minting = Readonly<Record<string, { claims: Readonly<Record<string, unknown>> }>>

/** The names of all claims that the configuration mints; some come more than once. */
export function mintedClaims({
  upstreams,
  clients,
}: {
  upstreams: Minting
  clients: Minting
}): string[] {
  return [upstreams, clients].flatMap((parts) =>
    Object.values(parts).flatMap(({ claims }) => Object.keys(claims)),
  )
}

/** Scope → claims, for the minted claim names (repeats are fine). `openid` is always there, others only with a claim. */
export function claimsByScope(claimNames: Iterable<string>): Record<string, string[]> {
  const groups = new Map<string, string[]>([['openid', ['sub']]])
  for (const name of new Set(claimNames)) {
    if (name === 'sub') continue
    const scope = scopeOf(name)
    groups.set(scope, [...(groups.get(scope) ?? []), name])
  }
  return Object.fromEntries(groups)
}

/** The part of `claims` that a granted scope (space-separated) releases. Nothing without `openid`. Null prototype. */
export function claimsForScope(
  scope: string,
  claims: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const granted = new Set(scope.split(' '))
  const released: Record<string, unknown> = Object.create(null)
  if (!granted.has('openid')) return released
  for (const [name, value] of Object.entries(claims)) {
    if (granted.has(scopeOf(name))) released[name] = value
  }
  return released
}

// Where a path leads in what the upstream said. Own properties only: `__proto__` and friends are never followed.

/** What the upstream said. Where both know a claim the ID token wins: it is signed. */
export interface ClaimSources {
  idToken: Readonly<Record<string, unknown>>
  userinfo?: Readonly<Record<string, unknown>> | undefined
}

export interface FoundClaim {
  source: 'id_token' | 'userinfo'
  /** The claim that the path begins with. */
  claim: string
  value: unknown
}

/** Names that reach a prototype: neither read nor minted, at any depth. */
export const NEVER: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/** Undefined where the path leads nowhere, or to null. */
export function findClaim(sources: ClaimSources, path: string): FoundClaim | undefined {
  const keys = path.includes('.') ? path.split('.') : [path]
  return foundIn('id_token', sources.idToken, keys) ?? foundIn('userinfo', sources.userinfo, keys)
}

function foundIn(
  source: FoundClaim['source'],
  claims: Readonly<Record<string, unknown>> | undefined,
  path: readonly string[],
): FoundClaim | undefined {
  const found = claims && stepsInto(claims, path)
  return found && found.value !== null
    ? { source, claim: found.key, value: found.value }
    : undefined
}

/** A key that itself holds dots is found before a nested one of the same spelling. */
function stepsInto(
  source: object,
  path: readonly string[],
): { key: string; value: unknown } | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const key = length === 1 ? (path[0] as string) : path.slice(0, length).join('.')
    if (NEVER.has(key) || !Object.hasOwn(source, key)) continue
    const inner = (source as Record<string, unknown>)[key]
    const value = length === path.length ? inner : valueBelow(inner, path.slice(length))
    if (value !== undefined) return { key, value }
  }
  return undefined
}

function valueBelow(value: unknown, path: readonly string[]): unknown {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isMap ? stepsInto(value, path)?.value : undefined
}

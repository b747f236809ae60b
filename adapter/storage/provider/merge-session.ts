// How two saves of one session become one: pure. Two tabs read the same session, each adds its own grant, both save.
import { isDeepStrictEqual } from 'node:util'

export type SessionPayload = Record<string, unknown> & {
  uid: string
  accountId?: string
  authorizations?: Record<string, unknown>
}

/** Per field: ours where we changed it since `base`, else theirs; a field we removed is removed. */
function mergeFields<Fields extends Record<string, unknown>>(
  base: Fields,
  ours: Fields,
  theirs: Fields,
): Fields {
  const merged: Record<string, unknown> = { ...theirs }
  for (const name of new Set([...Object.keys(base), ...Object.keys(ours)])) {
    if (isDeepStrictEqual(base[name], ours[name])) continue
    if (ours[name] === undefined) delete merged[name]
    else merged[name] = ours[name]
  }
  return merged as Fields
}

/**
 * `base` is what we read, `ours` what we want to save, `theirs` what is stored meanwhile. Grants never pass from one
 * account's session to another's: the side that changed the account wins whole, and ours if both did.
 */
export function mergeSession(
  base: SessionPayload,
  ours: SessionPayload,
  theirs: SessionPayload,
): SessionPayload {
  if (ours.accountId !== theirs.accountId) {
    const weChanged = ours.accountId !== base.accountId
    return weChanged ? ours : theirs
  }
  const merged = mergeFields(base, ours, theirs)
  const authorizations = mergeFields(
    base.authorizations ?? {},
    ours.authorizations ?? {},
    theirs.authorizations ?? {},
  )
  const { authorizations: _replaced, ...rest } = merged
  return Object.keys(authorizations).length > 0 ? { ...rest, authorizations } : rest
}

/** Each request moves the end of the session on; so much sooner or later is not worth a write. */
const SAME_END_SECONDS = 5

/** True if storing `wanted` in place of `stored` would change nothing but its end, and that by seconds. */
export function saysAsMuch(stored: SessionPayload, wanted: SessionPayload): boolean {
  const { exp: end, ...said } = stored
  const { exp: wantedEnd, ...toSay } = wanted
  const apart = Math.abs(Number(end ?? 0) - Number(wantedEnd ?? 0))
  return apart <= SAME_END_SECONDS && isDeepStrictEqual(said, toSay)
}

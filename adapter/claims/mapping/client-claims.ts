// What one app gets beside, or in place of, what all apps get: the `claims` of a client, applied on top of an upstream's.
// One session serves several apps, so each app's part is kept apart, and released to that app alone.
import type { ClaimRule, ClaimTarget } from '../../config/claim-rule.ts'
import { claimsFor, claimTargets } from '../claim-targets.ts'
import type { ClaimTargets } from '../claim-targets.ts'
import type { ClaimSources } from './find-claim.ts'
import { bytesOf, mapClaims } from './map-claims.ts'

type Rules = Readonly<Record<string, ClaimRule>>

export interface ClientClaims {
  /** Null where the client's rule replaces the upstream's and nothing results: the client then gets no such claim at all. */
  claims: Record<string, unknown>
  claimTargets?: Record<string, readonly ClaimTarget[]>
}

/** Client id → its part. Null: this identity does not do for the client, which has to sign the person in for itself. */
export type ClaimsByClient = Record<string, ClientClaims | null>

/** What an identity holds of claims. */
export interface MintedClaims {
  claims: Readonly<Record<string, unknown>>
  claimTargets?: ClaimTargets
  clientClaims?: Readonly<ClaimsByClient>
}

/** Bytes of JSON that all apps' parts may take together in one identity. */
export const MAX_CLIENTS_LENGTH = 32_768

/**
 * `signingIn` is the client of this sign-in: what is wrong with its own claims are the faults. What is wrong with another's,
 * or has no room, keeps only that client from using the session.
 */
export function mapClientClaims(
  rulesByClient: Readonly<Record<string, Rules>>,
  base: Readonly<Record<string, unknown>>,
  sources: ClaimSources,
  signingIn: string | undefined,
): { clientClaims: ClaimsByClient; faults: string[] } {
  const clientClaims: ClaimsByClient = {}
  const faults: string[] = []
  let room = MAX_CLIENTS_LENGTH
  const isFirst = ([id]: [string, Rules]) => (id === signingIn ? 0 : 1)
  const inOrder = Object.entries(rulesByClient).sort((a, b) => isFirst(a) - isFirst(b))
  for (const [id, rules] of inOrder) {
    const { part, faults: own } = partOf(rules, base, sources)
    if (id === signingIn) faults.push(...own)
    const length = bytesOf(part)
    const isKept = own.length === 0 && length <= room
    clientClaims[id] = isKept ? part : null
    if (isKept) room -= length
  }
  return { clientClaims, faults }
}

function partOf(rules: Rules, base: Readonly<Record<string, unknown>>, sources: ClaimSources) {
  const kept = Object.entries(base).filter(([name]) => !Object.hasOwn(rules, name))
  const keptLength = kept.reduce((sum, [, value]) => sum + bytesOf(value), 0)
  const { claims, faults } = mapClaims(rules, sources, undefined, keptLength)
  const targets = claimTargets(rules)
  const part: ClientClaims = {
    claims: Object.fromEntries(Object.keys(rules).map((name) => [name, claims[name] ?? null])),
    ...(targets ? { claimTargets: targets } : {}),
  }
  return { part, faults }
}

/** False: the client's own claims could not be minted at this sign-in. */
export function doesFor(
  { clientClaims = {} }: MintedClaims,
  clientId: string | undefined,
): boolean {
  return clientId === undefined || ownPart(clientClaims, clientId) !== null
}

/** What goes to `target` of this client. Null prototype. Scopes are not looked at. */
export function claimsForClient(
  target: ClaimTarget,
  { claims, claimTargets: targets, clientClaims = {} }: MintedClaims,
  clientId: string | undefined,
): Record<string, unknown> {
  const released = claimsFor(target, claims, targets)
  const own = clientId === undefined ? undefined : ownPart(clientClaims, clientId)
  if (!own) return released
  for (const name of Object.keys(own.claims)) delete released[name]
  for (const [name, value] of Object.entries(claimsFor(target, own.claims, own.claimTargets)))
    if (value !== null) released[name] = value
  return released
}

function ownPart(clientClaims: Readonly<ClaimsByClient>, clientId: string) {
  return Object.hasOwn(clientClaims, clientId) ? clientClaims[clientId] : undefined
}

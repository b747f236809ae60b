// Why a minted claim is what it is, and what became of everything else that the upstream said. Only where somebody asks for
// it: signing in takes mapClaims alone, which does the mapping here too.
import type { ClaimRule } from '../../config/claim-rule.ts'
import { NEVER } from '../mapping/find-claim.ts'
import type { ClaimSources, FoundClaim } from '../mapping/find-claim.ts'
import { mapClaims } from '../mapping/map-claims.ts'
import type { MappedClaims, Resolution } from '../mapping/map-claims.ts'

export interface ClaimProvenance {
  /** As we mint it. */
  claim: string
  /** `hook`: the rules gave another value (`raw`), or none. */
  source: Resolution['source'] | 'hook'
  /** What the rule looked for: one path, or all of a template's. */
  paths: string[]
  /** What the upstream said there; for a template by path. */
  raw: unknown
  /** Undefined when nothing is minted. */
  value: unknown
  fault: string | undefined
}

export type DropReason =
  /** No rule reads it. */
  | 'not_mapped'
  /** A rule reads it, and filter, table, prefix or template let nothing of it through. */
  | 'nothing_passed'
  | 'too_large'
  /** Userinfo says it too, and the ID token counts. */
  | 'id_token_wins'
  /** `iss`, `exp` and the like: about the token, not about the person. */
  | 'about_the_token'
  /** `acr`, `amr`, `auth_time`: they are passed on by the chain itself. */
  | 'about_the_sign_in'
  /** `sub` makes our `sub`. */
  | 'makes_the_subject'
  /** `__proto__` and friends. */
  | 'unsafe_name'

export interface DroppedClaim {
  source: FoundClaim['source']
  claim: string
  reason: DropReason
  /** The minted claims whose rules read it. */
  readBy: string[]
}

export interface Explanation extends MappedClaims {
  provenance: ClaimProvenance[]
  dropped: DroppedClaim[]
}

const REASONS = new Map<string, DropReason>([
  ...['iss', 'aud', 'azp', 'exp', 'iat', 'nbf', 'jti', 'nonce', 'sid', 'typ'].map(aboutTheToken),
  ...['at_hash', 'c_hash', 's_hash', '_claim_names', '_claim_sources'].map(aboutTheToken),
  ['acr', 'about_the_sign_in'],
  ['amr', 'about_the_sign_in'],
  ['auth_time', 'about_the_sign_in'],
  ['sub', 'makes_the_subject'],
])

function aboutTheToken(name: string): [string, DropReason] {
  return [name, 'about_the_token']
}

/** `claims` and `faults` are those of mapClaims. */
export function explainClaims(
  rules: Readonly<Record<string, ClaimRule>>,
  sources: ClaimSources,
): Explanation {
  const provenance: ClaimProvenance[] = []
  const uses: Uses = { id_token: new Map(), userinfo: new Map() }
  const mapped = mapClaims(rules, sources, (claim, resolution) => {
    provenance.push(provenanceOf(claim, resolution))
    noteUses(uses, claim, resolution)
  })
  const dropped = [
    ...droppedOf('id_token', sources.idToken, uses),
    ...droppedOf('userinfo', sources.userinfo ?? {}, uses, sources.idToken),
  ]
  return { ...mapped, provenance, dropped }
}

function provenanceOf(claim: string, { source, reads, value, fault }: Resolution): ClaimProvenance {
  const paths = reads.map(({ path }) => path)
  const raw =
    source === 'template' || reads.length > 1
      ? Object.fromEntries(reads.map(({ path, found }) => [path, found?.value]))
      : reads[0]?.found?.value
  return { claim, source, paths, raw, value, fault }
}

interface Use {
  claim: string
  isMinted: boolean
  isTooLarge: boolean
}

/** By source and claim of the upstream. */
type Uses = Readonly<Record<FoundClaim['source'], Map<string, Use[]>>>

function noteUses(uses: Uses, claim: string, { source, reads, value, fault }: Resolution): void {
  const isTooLarge = fault !== undefined && source !== 'nothing'
  const isMinted = value !== undefined && source !== 'default'
  const use = { claim, isMinted, isTooLarge }
  for (const { found } of reads) {
    if (!found) continue
    const known = uses[found.source].get(found.claim)
    if (!known) uses[found.source].set(found.claim, [use])
    else if (!known.includes(use)) known.push(use)
  }
}

const NO_USES: readonly Use[] = []

function droppedOf(
  source: FoundClaim['source'],
  said: Readonly<Record<string, unknown>>,
  uses: Uses,
  signed: Readonly<Record<string, unknown>> = {},
): DroppedClaim[] {
  return Object.keys(said).flatMap((claim) => {
    const found = uses[source].get(claim) ?? NO_USES
    if (found.some(({ isMinted }) => isMinted)) return []
    const isInIdToken = Object.hasOwn(signed, claim) && uses.id_token.has(claim)
    const reason = isInIdToken ? 'id_token_wins' : reasonFor(claim, found)
    return [{ source, claim, reason, readBy: found.map((use) => use.claim) }]
  })
}

function reasonFor(claim: string, uses: readonly Use[]): DropReason {
  if (NEVER.has(claim)) return 'unsafe_name'
  if (uses.some(({ isTooLarge }) => isTooLarge)) return 'too_large'
  return uses.length > 0 ? 'nothing_passed' : (REASONS.get(claim) ?? 'not_mapped')
}

// What tokens would say of a person who signed in with a draft, why, and what the live configuration says of the same
// answer. Mints nothing; mapping a person is what it is at a real login, and is handed in.
import { isDeepStrictEqual } from 'node:util'
import { claimsForClient } from '../claims/mapping/client-claims.ts'
import { claimTargets } from '../claims/claim-targets.ts'
import { explainClaims } from '../claims/explain/explain-claims.ts'
import type { Explanation } from '../claims/explain/explain-claims.ts'
import type { ClaimSources } from '../claims/mapping/find-claim.ts'
import { explainHooked } from '../claims/mapping/hooked-claims.ts'
import { unmetRequirements } from '../claims/requirements.ts'
import { claimsForScope, scopeOf } from '../claims/scopes.ts'
import type { ClaimTarget } from '../config/claim-rule.ts'
import type { ClientConfig } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import type { UpstreamIdentity } from '../upstream/upstream.ts'
import type {
  ClaimChange,
  Claims,
  DraftResult,
  ExplainedDraftClaim,
  LiveComparison,
  WouldBeTokens,
} from './draft-outcome.ts'
import type { DraftConfig, DraftSource } from './draft-tests.ts'

/** From an upstream's answer to who the person is to a client, as one configuration has it. Keeps nothing. */
export interface Mapper {
  /** Rejects with UpstreamError. */
  mapIdentity(said: UpstreamIdentity, clientId: string): Promise<Identity>
  subjectFor(clientId: string, accountId: string): string
}

/** Of one test: what one configuration finds out about a person, the next one knows. */
export type MapperFor = (config: DraftConfig) => Mapper

export interface ResultParts {
  issuer: string
  draft: DraftConfig
  live: DraftConfig
  clientId: string
  source: DraftSource
  mapperFor: MapperFor
  /** Whether an upstream so configured may speak for `issuer`. */
  isIssuerOf: (configured: string, issuer: string) => boolean
}

const TARGETS: readonly ClaimTarget[] = ['id_token', 'access_token', 'userinfo']

export async function draftResult(
  parts: ResultParts,
  said: UpstreamIdentity,
): Promise<DraftResult> {
  const { draft, clientId, source } = parts
  // The live one first: whoever has signed in with it before is who an alias keeps.
  const live = await wouldBeLive(parts, said)
  const { faults, tokens, identity } = await wouldBe(parts, draft, said)
  const explanation = explained(parts, said, identity)
  return {
    upstream: said.upstream,
    client: clientId,
    file: source.file,
    faults,
    tokens,
    claims: explainedClaims(explanation, parts, said.upstream),
    dropped: explanation.dropped,
    live: live && comparison(live, tokens),
    notes: notesOn(parts, said.upstream),
  }
}

const sourcesOf = ({ idTokenClaims, userinfoClaims }: UpstreamIdentity): ClaimSources => ({
  idToken: idTokenClaims,
  userinfo: userinfoClaims,
})

function rulesIn({ upstreams, clients }: DraftConfig, upstream: string, clientId: string) {
  return { ...upstreams[upstream]?.claims, ...clients[clientId]?.claims }
}

/** What a hook made of the mapped claims is in the identity alone. */
function explained(
  { draft, clientId }: ResultParts,
  said: UpstreamIdentity,
  identity: Identity | undefined,
): Explanation {
  const upstream = draft.upstreams[said.upstream]
  const byRules = explainClaims(rulesIn(draft, said.upstream, clientId), sourcesOf(said))
  if (!identity || upstream?.hooks === undefined) return byRules
  const ownRules = draft.clients[clientId]?.claims ?? {}
  return explainHooked(byRules, upstream.claims, ownRules, identity.claims)
}

interface WouldBe {
  identity?: Identity
  faults: string[]
  tokens: WouldBeTokens | undefined
}

async function wouldBe(
  { issuer, clientId, mapperFor }: ResultParts,
  config: DraftConfig,
  said: UpstreamIdentity,
): Promise<WouldBe> {
  const unmet = unmetRequirements(config.upstreams[said.upstream]?.require, sourcesOf(said))
  if (unmet.length > 0)
    return { faults: unmet.map((rule) => `Denied by ${rule}`), tokens: undefined }
  const mapper = mapperFor(config)
  try {
    const identity = await mapper.mapIdentity(said, clientId)
    const sub = mapper.subjectFor(clientId, identity.accountId)
    const { scope } = config.clients[clientId] as ClientConfig
    return { identity, faults: [], tokens: tokensOf({ issuer, clientId, scope, sub }, identity) }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    return { faults: [error.message], tokens: undefined }
  }
}

interface Frame {
  issuer: string
  clientId: string
  scope: string
  sub: string
}

function tokensOf({ issuer, clientId, scope, sub }: Frame, identity: Identity): WouldBeTokens {
  const claims = (target: ClaimTarget) =>
    claimsForScope(scope, claimsForClient(target, identity, clientId))
  const token = { iss: issuer, sub, aud: clientId }
  return {
    id_token: { ...claims('id_token'), ...token },
    access_token: { ...claims('access_token'), ...token, client_id: clientId, scope },
    userinfo: { ...claims('userinfo'), sub },
  }
}

function explainedClaims(
  { provenance }: Explanation,
  { draft, clientId, source }: ResultParts,
  upstream: string,
): ExplainedDraftClaim[] {
  const client = draft.clients[clientId]
  const targets = claimTargets(rulesIn(draft, upstream, clientId)) ?? {}
  const scopes = client?.scope.split(' ') ?? []
  return provenance.map((entry) => {
    const scope = scopeOf(entry.claim)
    const isReleased = entry.value !== undefined && scopes.includes(scope)
    const owner = Object.hasOwn(client?.claims ?? {}, entry.claim)
      ? `clients.${clientId}`
      : `upstreams.${upstream}`
    return {
      ...entry,
      scope,
      goesTo: isReleased ? (targets[entry.claim] ?? TARGETS) : [],
      line: source.lines[`${owner}.claims.${entry.claim}`],
    }
  })
}

/** Undefined where the live configuration has no upstream of this name. */
async function wouldBeLive(
  parts: ResultParts,
  said: UpstreamIdentity,
): Promise<WouldBe | undefined> {
  const { live, draft, clientId } = parts
  const upstream = ownEntry(live.upstreams, said.upstream)
  if (!upstream) return undefined
  const client = ownEntry(live.clients, clientId) ?? (draft.clients[clientId] as ClientConfig)
  const config = { ...live, clients: { ...live.clients, [clientId]: client } }
  // A live login would have come from the live issuer; where that stands for many, it may be this very one.
  const iss = parts.isIssuerOf(upstream.issuer, said.iss) ? said.iss : upstream.issuer
  return wouldBe(parts, config, { ...said, iss })
}

function comparison({ faults, tokens }: WouldBe, draft: WouldBeTokens | undefined): LiveComparison {
  if (!tokens || !draft) return { faults, tokens, changes: [] }
  const [was, is] = [String(tokens.userinfo['sub']), String(draft.userinfo['sub'])]
  const subject = { live: was, draft: is, isChanged: was !== is }
  return { faults, tokens, changes: changesOf(tokens, draft), subject }
}

function ownEntry<T>(entries: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(entries, name) ? entries[name] : undefined
}

/** A claim that changes alike in several places is one change. */
export function changesOf(live: WouldBeTokens, draft: WouldBeTokens): ClaimChange[] {
  const changes: ClaimChange[] = []
  for (const target of TARGETS) {
    for (const { claim, ...sides } of changesIn(live[target], draft[target])) {
      const known = changes.find((one) =>
        isDeepStrictEqual({ ...one, in: [] }, { claim, in: [], ...sides }),
      )
      if (known) known.in.push(target)
      else changes.push({ claim, in: [target], ...sides })
    }
  }
  return changes
}

function changesIn(live: Claims, draft: Claims): Omit<ClaimChange, 'in'>[] {
  const names = [...new Set([...Object.keys(live), ...Object.keys(draft)])]
  return names
    .filter((claim) => !isDeepStrictEqual(live[claim], draft[claim]))
    .map((claim) => ({
      claim,
      ...(Object.hasOwn(live, claim) ? { live: live[claim] } : {}),
      ...(Object.hasOwn(draft, claim) ? { draft: draft[claim] } : {}),
    }))
}

function notesOn({ live, draft, clientId }: ResultParts, upstream: string): string[] {
  const [old, now] = [ownEntry(live.upstreams, upstream), draft.upstreams[upstream]]
  const isElsewhere = old !== undefined && old.issuer !== now?.issuer
  return [
    ...(old === undefined
      ? [
          `The live configuration has no upstream "${upstream}", so that there is nothing to compare with`,
        ]
      : []),
    ...(isElsewhere
      ? [
          `The live issuer is ${old.issuer}, the draft's ${now?.issuer}: compared as if the live one had sent the same claims`,
        ]
      : []),
    ...(ownEntry(live.clients, clientId) === undefined
      ? [`The live configuration has no client "${clientId}"; compared as the draft has it`]
      : []),
  ]
}

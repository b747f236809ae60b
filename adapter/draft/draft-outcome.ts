// What a test login with a draft comes to, as the admin API hands it out and the page shows it. Data only.
import type { ClaimProvenance, DroppedClaim } from '../claims/explain/explain-claims.ts'
import type { ClaimTarget } from '../config/claim-rule.ts'

export type Claims = Readonly<Record<string, unknown>>

/** What would be in each, without what is made anew for each token (`iat`, `exp`, `jti` and the like). Unsigned. */
export type WouldBeTokens = Readonly<Record<ClaimTarget, Claims>>

export type ExplainedDraftClaim = ClaimProvenance & {
  scope: string
  /** Empty: nothing is minted, or the client may not ask for the scope. */
  goesTo: readonly ClaimTarget[]
  /** 1-based line of the rule in the draft; undefined when it does not stand there. */
  line: number | undefined
}

/** One claim that the draft changes; `live` or `draft` is absent where there is none. */
export interface ClaimChange {
  claim: string
  in: ClaimTarget[]
  live?: unknown
  draft?: unknown
}

export interface LiveComparison {
  /** Why the live configuration would not let the person in; empty when it would. */
  faults: string[]
  tokens: WouldBeTokens | undefined
  changes: ClaimChange[]
  /** Absent where one of the two lets nobody in. */
  subject?: { live: string; draft: string; isChanged: boolean }
}

export interface DraftResult {
  upstream: string
  client: string
  file: string
  /** Why the draft would not let the person in; empty when it would. */
  faults: string[]
  tokens: WouldBeTokens | undefined
  claims: ExplainedDraftClaim[]
  dropped: DroppedClaim[]
  /** Undefined: the live configuration has no upstream of this name. */
  live: LiveComparison | undefined
  /** What makes the comparison less than exact. */
  notes: string[]
}

/** `message` is for operators: expected and found, never a secret. */
export interface DraftFailure {
  code: string
  message: string
}

export type DraftOutcome =
  | { status: 'done'; result: DraftResult }
  | { status: 'failed'; failure: DraftFailure }
  | { status: 'expired' }

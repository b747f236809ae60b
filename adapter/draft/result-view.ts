// What the page about a test login shows, in words. What operators alone are to know, the command says, not the page.
import { dropReason, originOf, plainText, shownValue } from '../claims/explain/explain-words.ts'
import type { DraftResultView } from '../pages/draft-result-page.ts'
import type { ClaimChange, DraftResult, ExplainedDraftClaim } from './draft-outcome.ts'
import type { DraftTest } from './draft-tests.ts'

export function resultView({ upstreamName, clientId, outcome }: DraftTest): DraftResultView {
  const names = { upstreamName, clientName: clientId }
  if (outcome?.status !== 'done') return { ...names, verdict: 'failed' }
  const { result } = outcome
  return {
    ...names,
    verdict: verdictOf(result),
    subject: result.live?.subject,
    changes: result.live?.changes.map(changeRow) ?? [],
    tokens: tokensShown(result),
    claims: result.claims.map((claim) => claimRow(claim, result.file)),
    dropped: result.dropped.map((entry) => [
      plainText(entry.claim),
      entry.source,
      dropReason(entry),
    ]),
    notes: [
      ...((result.live?.faults.length ?? 0) > 0
        ? ['The live configuration would not let this person in']
        : []),
      ...result.notes,
    ],
  }
}

function verdictOf({ faults, live }: DraftResult): DraftResultView['verdict'] {
  if (faults.length > 0) return 'refused'
  if (live?.subject?.isChanged) return 'subject_changed'
  if (!live?.tokens) return 'nothing_to_compare'
  return live.changes.length > 0 ? 'changed' : 'unchanged'
}

const TITLES = { id_token: 'ID token', access_token: 'Access token', userinfo: 'Userinfo' } as const

function tokensShown({ tokens }: DraftResult) {
  return Object.entries(TITLES).flatMap(([name, title]) =>
    tokens ? [{ title, json: JSON.stringify(tokens[name as keyof typeof TITLES], null, 2) }] : [],
  )
}

function changeRow({ claim, in: places, live, draft }: ClaimChange): string[] {
  return [plainText(claim), shownValue(live), shownValue(draft), places.join(', ')]
}

function claimRow(entry: ExplainedDraftClaim, file: string): string[] {
  const place = entry.goesTo.length > 0 ? entry.goesTo.join(', ') : '-'
  const rule = entry.line === undefined ? '-' : `${fileName(file)}:${entry.line}`
  return [plainText(entry.claim), shownValue(entry.value), originOf(entry), place, rule]
}

/** Where it lies is the operator's. */
function fileName(path: string): string {
  return plainText(path.split(/[/\\]/).at(-1) ?? '')
}

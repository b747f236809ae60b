// What is minted and what is dropped, as tables for people on a terminal: of `auth-adapter claims explain` as a whole, and
// in parts for other reports.
import { relative } from 'node:path'
import type { DroppedClaim } from '../claims/explain/explain-claims.ts'
import { dropReason, originOf, plainText, shownValue } from '../claims/explain/explain-words.ts'
import { alignedRows } from './aligned-rows.ts'
import type { ClaimsReport, ExplainedClaim } from './claims-explain.ts'

export function claimsTable(report: ClaimsReport): string {
  return [
    `What "${report.upstream}" makes of these claims. Signatures and times are not checked.`,
    mintedTable(report),
    ...droppedTable(report.dropped),
    report.faults.length === 0
      ? 'Such a sign-in would succeed.'
      : faultList('Such a sign-in would fail:', report.faults),
  ]
    .map((part) => `${part}\n`)
    .join('\n')
}

/** Each minted claim with its value, its origin, where it goes, and the place of its rule. */
export function mintedTable({
  claims,
  client,
  file: path,
}: Pick<ClaimsReport, 'claims' | 'client' | 'file'>): string {
  const place = relative(process.cwd(), path)
  const file = place === '' || place.startsWith('..') ? path : place
  const minted = claims.map((entry) => [
    plainText(entry.claim),
    shownValue(entry.value),
    originOf(entry),
    goingTo(entry, client),
    entry.line === undefined ? '' : `${file}:${entry.line}`,
  ])
  return alignedRows([['claim', 'value', 'from', 'goes to', 'rule'], ...minted])
}

/** One table, or none where nothing was dropped. */
export function droppedTable(dropped: readonly DroppedClaim[]): string[] {
  const rows = dropped.map((entry) => [plainText(entry.claim), entry.source, dropReason(entry)])
  return rows.length === 0 ? [] : [alignedRows([['dropped', 'said in', 'why'], ...rows])]
}

export function faultList(title: string, faults: readonly string[]): string {
  return [title, ...faults.map((fault) => `- ${plainText(fault)}`)].join('\n')
}

function goingTo({ value, scope, goesTo }: ExplainedClaim, client: string | undefined): string {
  if (value === undefined) return ''
  return goesTo.length === 0
    ? `nowhere: ${plainText(client ?? '')} may not ask for ${scope}`
    : `${scope}: ${goesTo.join(', ')}`
}

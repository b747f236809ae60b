// The report of `auth-adapter claims explain` as a table for people.
import { relative } from 'node:path'
import type { DropReason } from '../claims/explain-claims.ts'
import { alignedRows } from './aligned-rows.ts'
import type { ClaimsReport, ExplainedClaim } from './claims-explain.ts'

const MAX_SHOWN = 60
/** Control, format and line separator characters could draw over the table. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

const REASONS: Readonly<Record<DropReason, string>> = {
  not_mapped: 'no rule reads it',
  nothing_passed: 'a rule reads it, and lets nothing of it through',
  too_large: 'too large',
  id_token_wins: 'the ID token says it too, and is signed',
  about_the_token: 'about the token, not about the person',
  about_the_sign_in: 'about the sign-in; passed on by the chain itself',
  makes_the_subject: 'makes our sub; no rule reads it',
  unsafe_name: 'a name that reaches a prototype is never read',
}

export function claimsTable(report: ClaimsReport): string {
  const place = relative(process.cwd(), report.file)
  const file = place === '' || place.startsWith('..') ? report.file : place
  const minted = report.claims.map((entry) => [
    plain(entry.claim),
    shown(entry.value),
    originOf(entry),
    goingTo(entry, report.client),
    entry.line === undefined ? '' : `${file}:${entry.line}`,
  ])
  const dropped = report.dropped.map(({ source, claim, reason, readBy }) => [
    plain(claim),
    source,
    [REASONS[reason], ...readBy.map((reader) => `(${plain(reader)})`)].join(' '),
  ])
  return [
    `What "${report.upstream}" makes of these claims. Signatures and times are not checked.`,
    alignedRows([['claim', 'value', 'from', 'goes to', 'rule'], ...minted]),
    ...(dropped.length === 0 ? [] : [alignedRows([['dropped', 'said in', 'why'], ...dropped])]),
    report.faults.length === 0
      ? 'Such a sign-in would succeed.'
      : ['Such a sign-in would fail:', ...report.faults.map((fault) => `- ${plain(fault)}`)].join(
          '\n',
        ),
  ]
    .map((part) => `${part}\n`)
    .join('\n')
}

function originOf({ source, paths, raw }: ExplainedClaim): string {
  if (source === 'constant') return 'constant'
  if (source === 'id_token' || source === 'userinfo')
    return `${source} ${plain(paths.join(', '))} = ${shown(raw)}`
  const said = raw === undefined ? 'is not there' : `= ${shown(raw)}`
  return `${source}; ${plain(paths.join(', '))} ${said}`
}

function goingTo({ value, scope, goesTo }: ExplainedClaim, client: string | undefined): string {
  if (value === undefined) return ''
  return goesTo.length === 0
    ? `nowhere: ${plain(client ?? '')} may not ask for ${scope}`
    : `${scope}: ${goesTo.join(', ')}`
}

function shown(value: unknown): string {
  if (value === undefined) return '-'
  const text = plain(JSON.stringify(value))
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

function plain(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

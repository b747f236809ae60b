// The words of an explanation of claims: what a terminal and a page say of a value, its origin, and why a claim was dropped.
import type { ClaimProvenance, DroppedClaim, DropReason } from './explain-claims.ts'

const MAX_SHOWN = 60
/** Control, format and line separator characters could draw over a table. */
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

export function dropReason({ reason, readBy }: DroppedClaim): string {
  return [REASONS[reason], ...readBy.map((reader) => `(${plainText(reader)})`)].join(' ')
}

export function originOf({ source, paths, raw }: ClaimProvenance): string {
  if (source === 'constant') return 'constant'
  if (source === 'hook') return `hook; its rule gave ${shownValue(raw)}`
  if (source === 'id_token' || source === 'userinfo')
    return `${source} ${plainText(paths.join(', '))} = ${shownValue(raw)}`
  const said = raw === undefined ? 'is not there' : `= ${shownValue(raw)}`
  return `${source}; ${plainText(paths.join(', '))} ${said}`
}

/** As JSON, cut where it is long; `-` for nothing. */
export function shownValue(value: unknown): string {
  if (value === undefined) return '-'
  const text = plainText(JSON.stringify(value))
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text
}

export function plainText(text: string): string {
  return text.replace(
    UNPRINTABLE,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

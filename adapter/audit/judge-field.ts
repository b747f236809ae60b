// What an event lets through of a value that it was given: by the kind of its field, nothing else. Pure.
import { createHmac } from 'node:crypto'
import { redactText } from '../../service/redact-text.ts'
import type { FieldKind } from './audit-fields.ts'

/** Hashes the name of a person or session, the same for all instances; undefined as long as there is no key. */
export type Pseudonym = (value: string) => string | undefined

const MAX_TEXT = 300
const MAX_ITEMS = 50
const NAME = /^[\x21-\x7e]{1,128}$/
const WORD = /^[A-Za-z][\w.:-]{0,63}$/

/** 128 bits of a keyed hash: who has not the key can not tell whose it is by trying names. */
export function createPseudonym(key: () => Uint8Array | undefined): Pseudonym {
  return (value) => {
    const known = key()
    if (!known) return undefined
    const own = createHmac('sha256', known).update('pseudonyms of the audit trail').digest()
    return createHmac('sha256', own).update(value).digest('base64url').slice(0, 22)
  }
}

type Judge = (value: unknown, pseudonym: Pseudonym) => unknown

const one =
  (shape: RegExp): Judge =>
  (value) =>
    typeof value === 'string' && shape.test(value) ? redactText(value) : undefined

const each =
  (judge: Judge): Judge =>
  (value, pseudonym) =>
    Array.isArray(value)
      ? value.slice(0, MAX_ITEMS).flatMap((item: unknown) => judge(item, pseudonym) ?? [])
      : undefined

const text: Judge = (value) =>
  typeof value === 'string' ? redactText(value).slice(0, MAX_TEXT) : undefined
const person: Judge = (value, pseudonym) =>
  typeof value === 'string' ? pseudonym(value) : undefined

const JUDGES: Readonly<Record<FieldKind, Judge>> = {
  name: one(NAME),
  word: one(WORD),
  names: each(one(NAME)),
  words: each(one(WORD)),
  count: (value) => (Number.isSafeInteger(value) ? value : undefined),
  flag: (value) => (typeof value === 'boolean' ? value : undefined),
  text,
  person,
  sessions: each(person),
}

/** Undefined: not said. */
export function judgeField(kind: FieldKind, value: unknown, pseudonym: Pseudonym): unknown {
  return JUDGES[kind](value, pseudonym)
}

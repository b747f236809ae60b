// A JSON body held against a table of fields: what is unknown, missing or wrong is named, never passed over.
import { CommandError } from './read-command.ts'

export interface Field {
  /** Ends the sentence "expected …". */
  expected: string
  fits(value: unknown): boolean
  isRequired?: true
}

/** A field of the table for each of the shape. */
export type FieldsOf<Shape> = { readonly [Name in keyof Shape]-?: Field }

type Json = Record<string, unknown>

const isPrintable = (value: unknown) =>
  typeof value === 'string' && /^[^\p{Cc}]{1,200}$/u.test(value)

export const textField: Field = { expected: 'text of 1 to 200 characters', fits: isPrintable }
const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= 5000 && value.every(isPrintable)
export const textsField: Field = { expected: 'a list of up to 5000 texts', fits: isTexts }
export const someTextsField: Field = {
  expected: 'a list of 1 to 5000 texts',
  fits: (value) => isTexts(value) && value.length > 0,
}
export const booleanField: Field = {
  expected: 'true or false',
  fits: (value) => typeof value === 'boolean',
}
export const numberField = (lowest: number, highest: number): Field => ({
  expected: `a whole number from ${lowest} to ${highest}`,
  fits: (value) => Number.isInteger(value) && Number(value) >= lowest && Number(value) <= highest,
})
export const oneOf = (known: readonly string[]): Field => ({
  expected: `one of ${known.join(', ')}`,
  fits: (value) => typeof value === 'string' && known.includes(value),
})
export const required = (field: Field): Field => ({ ...field, isRequired: true })

function checkField(name: string, field: Field, value: unknown): void {
  if (value === undefined ? field.isRequired === true : !field.fits(value))
    throw new CommandError(`${name}: expected ${field.expected}`)
}

/** `body` with the fields that are there. @throws {CommandError} */
export function readFields<Shape extends object>(body: unknown, table: FieldsOf<Shape>): Shape {
  const fields = table as Readonly<Record<string, Field>>
  const given = (body ?? {}) as Json
  if (typeof given !== 'object' || Array.isArray(given))
    throw new CommandError('expected a JSON object')
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined)
    throw new CommandError(
      `${unknown}: there is no such field; expected ${Object.keys(fields).join(', ') || 'none'}`,
    )
  for (const [name, field] of Object.entries(fields)) checkField(name, field, given[name])
  return { ...given } as Shape
}

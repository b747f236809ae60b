// Bodies of the API: JSON of a known shape, or one clear answer why not.
import { json } from 'express'
import type { Request, RequestHandler } from 'express'
import type { z } from 'zod'
import { IdentityError } from './identity-error.ts'
import type { FieldFault } from './identity-error.ts'

// A page of another origin can not send this type without asking first, so no form can use the cookie.
const demandJson: RequestHandler = (req, _res, next) => {
  const [type = '', ...parameters] = (req.get('content-type') ?? '').toLowerCase().split(';')
  const charset = parameters.map((one) => one.trim()).find((one) => one.startsWith('charset='))
  // https://www.rfc-editor.org/rfc/rfc8259#section-8.1
  const isUtf8 = charset === undefined || /^charset="?utf-8"?$/.test(charset)
  if (type.trim() !== 'application/json' || !isUtf8)
    throw new IdentityError('UNSUPPORTED_MEDIA_TYPE')
  next()
}

export const parseJson: readonly RequestHandler[] = [demandJson, json({ limit: '16kb' })]

const maxFaults = 20
const maxName = 64

const nameOf = (path: readonly PropertyKey[]) => path.map(String).join('.').slice(0, maxName)

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  if (issue.code !== 'unrecognized_keys')
    return [{ field: nameOf(issue.path), message: issue.message }]
  return issue.keys.map((key) => ({
    field: nameOf([...issue.path, key]),
    message: 'unknown field',
  }))
}

/** @throws {IdentityError} VALIDATION_ERROR */
export function readBody<Schema extends z.ZodType>(req: Request, schema: Schema): z.output<Schema> {
  const read = schema.safeParse(req.body ?? {})
  if (read.success) return read.data
  const fields = read.error.issues.flatMap(faultsOf).slice(0, maxFaults)
  throw new IdentityError('VALIDATION_ERROR', { fields })
}

// How the JSON endpoints say that a request can not be answered.
import type { Response } from 'express'
import { requestIdOf } from '../../identity/api/request-ids.ts'

export interface Fault {
  status: number
  code: string
  message: string
  fields?: readonly { field: string; message: string }[]
}

export function answerFault(res: Response, { status, ...fault }: Fault): void {
  res.set('Cache-Control', 'no-store').status(status)
  res.json({ success: false, ...fault, request_id: requestIdOf() })
}

/** `faults` has a sentence for each field that is wrong. */
export const invalidFields = (faults: Readonly<Record<string, string>>): Fault => ({
  status: 400,
  code: 'VALIDATION_ERROR',
  message: Object.entries(faults)
    .map(([field, message]) => `${field}: ${message}`)
    .join('; '),
  fields: Object.entries(faults).map(([field, message]) => ({ field, message })),
})

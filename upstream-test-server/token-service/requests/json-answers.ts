// How the JSON endpoints say that a request can not be answered.
import type { Response } from 'express'
import { currentContext } from '../../../service/request-context.ts'

export interface Fault {
  status: number
  code: string
  message: string
  /** What is wrong with each field. */
  fields?: Readonly<Record<string, string>>
}

export function answerFault(res: Response, { status, ...fault }: Fault): void {
  const request_id = currentContext()?.fields['request_id']
  res.set('Cache-Control', 'no-store').status(status)
  res.json({ success: false, ...fault, request_id })
}

export const invalidFields = (fields: Readonly<Record<string, string>>): Fault => ({
  status: 400,
  code: 'VALIDATION_ERROR',
  message: Object.entries(fields)
    .map(([name, fault]) => `${name}: ${fault}`)
    .join('; '),
  fields,
})

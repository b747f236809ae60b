// What a service may send: one line, of a known shape and a bounded size.
import { text } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { z } from 'zod'
import { LOG_LEVELS } from '../../service/log.ts'
import { RequestFault } from './refusal.ts'
import type { Fault } from './refusal.ts'

const MOST_BYTES = '16kb'
const MOST_FIELDS = 20
const MOST_FAULTS = 10

const name = z
  .string()
  .regex(/^[A-Za-z][\w.-]{0,49}$/, 'expected a name of 1 to 50 letters, digits, "_", "." and "-"')
const value = z.union([z.string().max(500), z.number(), z.boolean(), z.null()])

export const logEntry = z.strictObject({
  level: z.enum(LOG_LEVELS),
  /** What happened: `report.sent`. */
  event: name,
  message: z.string().max(2000).optional(),
  /** When it happened, by the clock of the service. */
  at: z.iso.datetime({ offset: true }).optional(),
  fields: z
    .record(name, value)
    .refine((fields) => Object.keys(fields).length <= MOST_FIELDS, {
      error: `expected at most ${MOST_FIELDS} fields`,
    })
    .optional(),
})

export type LogEntry = z.infer<typeof logEntry>

const JSON_TYPE = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i
const readText = text({ type: () => true, limit: MOST_BYTES, inflate: false })

/** @throws {RequestFault} 400, 413 or 415 */
export async function readLogEntry(req: Request, res: Response): Promise<LogEntry> {
  if (!JSON_TYPE.test(req.headers['content-type'] ?? ''))
    throw fault(415, 'UNSUPPORTED_MEDIA_TYPE', 'the body: expected application/json in UTF-8')
  await run(readText, req, res).catch((error: unknown) => {
    throw bodyFault(error)
  })
  const result = logEntry.safeParse(jsonOf(req.body))
  if (!result.success) throw invalid(result.error)
  return result.data
}

function run(handler: RequestHandler, req: Request, res: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    void handler(req, res, (error?: unknown) => (error ? reject(error as Error) : resolve()))
  })
}

function jsonOf(body: unknown): unknown {
  try {
    return JSON.parse(String(body))
  } catch {
    throw fault(400, 'MALFORMED_JSON', 'the body: expected JSON, and it is none')
  }
}

const fault = (status: number, code: string, message: string, fields?: Fault['fields']) =>
  new RequestFault({ status, code, message, ...(fields && { fields }) })

/** What Express says of a body that it does not read. */
function bodyFault(error: unknown): unknown {
  const { status = 500 } = error as { status?: number }
  if (status === 413) return fault(413, 'PAYLOAD_TOO_LARGE', `the body: at most ${MOST_BYTES}`)
  if (status === 415)
    return fault(415, 'UNSUPPORTED_MEDIA_TYPE', 'the body: expected UTF-8 text, not compressed')
  return status < 500 ? fault(400, 'MALFORMED_JSON', 'the body: ended too early') : error
}

function invalid({ issues }: z.ZodError): RequestFault {
  const fields = issues.slice(0, MOST_FAULTS).map(({ path, message }) => ({
    field: path.join('.').slice(0, 100),
    message: message.slice(0, 200),
  }))
  const said = fields.map(({ field, message }) => `${field || 'the body'}: ${message}`)
  return fault(400, 'VALIDATION_ERROR', said.join('; '), fields)
}

// The fields of a request's body, sent as a form or as JSON; and the same request with another form in it.
import { IncomingMessage } from 'node:http'
import { text } from 'express'
import type { Request, RequestHandler } from 'express'

export interface BodyFault {
  status: number
  code: 'MALFORMED_JSON' | 'UNSUPPORTED_MEDIA_TYPE' | 'PAYLOAD_TOO_LARGE' | 'VALIDATION_ERROR'
  message: string
}

export type BodyFields = { fields: URLSearchParams } | { fault: BodyFault }

/** A token of ours has a few thousand characters. */
const bodyLimit = '16kb'

const form = 'application/x-www-form-urlencoded'
const json = 'application/json'

export const readBody: RequestHandler = text({
  type: () => true,
  limit: bodyLimit,
  inflate: false,
})

const failed = (status: number, code: BodyFault['code'], message: string) => ({
  fault: { status, code, message },
})

function fieldsOfJson(body: string): BodyFields {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return failed(400, 'MALFORMED_JSON', 'the body: expected JSON, and it is none')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return failed(400, 'VALIDATION_ERROR', 'the body: expected a JSON object')
  const entries = Object.entries(value)
  const other = entries.find(([, entry]) => typeof entry !== 'string')
  if (other) return failed(400, 'VALIDATION_ERROR', 'the body: expected texts only as its members')
  return { fields: new URLSearchParams(entries as [string, string][]) }
}

/** After `readBody`. */
export function bodyFields(req: Request): BodyFields {
  const body = typeof req.body === 'string' ? req.body : ''
  if (req.is(form) !== false) return { fields: new URLSearchParams(body) }
  if (req.is(json) !== false) return fieldsOfJson(body)
  return failed(415, 'UNSUPPORTED_MEDIA_TYPE', `the body: expected ${form} or ${json}`)
}

/** As Express makes them. */
export interface BodyError {
  status?: number
  expose?: boolean
}

/** A fault of `readBody`, which Express hands on as an error. */
export function bodyFaultOf(error: BodyError): BodyFault | undefined {
  const { status = 500, expose = false } = error
  if (!expose || status >= 500) return undefined
  if (status === 413)
    return { status, code: 'PAYLOAD_TOO_LARGE', message: `the body: at most ${bodyLimit}` }
  if (status === 415)
    return {
      status,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'the body: expected UTF-8 text, not compressed',
    }
  return { status, code: 'VALIDATION_ERROR', message: 'the body: ended too early' }
}

/** For a reader of the stream, which can not be read twice. */
export function withForm(req: Request, url: string, fields: URLSearchParams): Request {
  const body = Buffer.from(fields.toString())
  const { 'transfer-encoding': _, ...headers } = req.headers
  const again = new IncomingMessage(req.socket)
  Object.setPrototypeOf(again, Object.getPrototypeOf(req) as object)
  const { method, httpVersion, httpVersionMajor, httpVersionMinor } = req
  Object.assign(again, { method, url, httpVersion, httpVersionMajor, httpVersionMinor })
  again.headers = { ...headers, 'content-type': form, 'content-length': String(body.length) }
  again.push(body)
  again.push(null)
  // Or its end would close the connection.
  again.complete = true
  return again as Request
}

// For tests: whether an answer is one that the document tells of. Judged twice: by the schema that the server is made with, and
// by the JSON Schema in the document.
import { z } from 'zod'
import { errorAnswer } from '../../identity/api/schemas.ts'
import { openApiDocument, operationsOf } from '../document.ts'

export interface Exchange {
  method: string
  path: string
  /** As sent; undefined: none, or none that could be read. */
  sent?: unknown
  status: number
  body: unknown
  headers: Headers
}

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0]

interface Described {
  responses: Record<
    string,
    { content: Record<string, { schema: object }>; headers: Record<string, object> }
  >
  requestBody?: { content: Record<string, { schema: object }> }
}

const operations = operationsOf({ hasTestToken: true })
const document = openApiDocument({ issuer: 'http://127.0.0.1:9', hasTestToken: true })

/** JSON Schema alone, as anybody reads it: nothing of what the schema was before. */
function judgeOf(schema: object): z.ZodType {
  const $defs = document.components?.schemas
  const text = JSON.stringify({ ...schema, $defs }).replaceAll('#/components/schemas/', '#/$defs/')
  return z.fromJSONSchema(JSON.parse(text) as JsonSchema, { registry: z.registry() })
}

const judges = new Map<object, z.ZodType>()

function judge(schema: object): z.ZodType {
  const known = judges.get(schema) ?? judgeOf(schema)
  judges.set(schema, known)
  return known
}

function describedAt(path: string, method: string): Described | undefined {
  const item = document.paths?.[path] as Record<string, Described> | undefined
  return item?.[method.toLowerCase()]
}

const faultsBy = (schema: z.ZodType, value: unknown, name: string) =>
  (schema.safeParse(value).error?.issues ?? []).map(
    ({ path, message }) => `${name}: ${path.join('.')}: ${message}`,
  )

/** In the Fetch standard's `Headers`, absent is null. */
const missing = (names: readonly string[], headers: Headers) =>
  names.filter((name) => !headers.has(name)).map((name) => `header: no ${name}`)

function faultsOfAnswer(described: Described, exchange: Exchange, route: string): string[] {
  const { status, body, headers } = exchange
  const answer = described.responses[status]
  const own = operations[route as keyof typeof operations]?.answers.find(
    (one) => one.status === status,
  )
  const schema = answer?.content['application/json']?.schema
  if (!answer || !own || !schema) return [`the document has no answer ${status}`]
  // A locked account has no time to tell where it is not the guesses that locked it.
  const always = Object.keys(answer.headers).filter((name) => name !== 'Retry-After')
  return [
    ...faultsBy(own.schema, body, 'schema'),
    ...faultsBy(judge(schema), body, 'document'),
    ...missing(always, headers),
  ]
}

function faultsOfRequest({ requestBody }: Described, { sent, status }: Exchange): string[] {
  const schema = requestBody?.content['application/json']?.schema
  if (schema === undefined || sent === undefined || status !== 200) return []
  return faultsBy(judge(schema), sent, 'what was sent, and accepted')
}

/** Sentences; none where the document tells of this. A path or a method that it has not can only be refused. */
export function faultsOfExchange(exchange: Exchange): string[] {
  const { method, path, status, body } = exchange
  const described = describedAt(path, method)
  if (described)
    return [
      ...faultsOfAnswer(described, exchange, `${method} ${path}`),
      ...faultsOfRequest(described, exchange),
    ]
  const isRefused = status === 404 || status === 405
  return isRefused ? faultsBy(errorAnswer, body, 'schema') : [`${method} ${path}: not described`]
}

export const isDescribed = (path: string, method: string): boolean =>
  describedAt(path, method) !== undefined

// One operation of the JSON API as it is written down, and as OpenAPI says it.
import type { z } from 'zod'
import type { ZodOpenApiOperationObject, ZodOpenApiResponsesObject } from 'zod-openapi'
import { errorKinds } from '../identity/api/identity-error.ts'
import { errorAnswerWith } from '../identity/api/schemas.ts'

export interface OperationAnswer {
  status: number
  description: string
  schema: z.ZodType
  /** Beside those that every answer has. */
  headers?: readonly HeaderName[]
}

export interface Operation {
  tag: string
  id: string
  summary: string
  description?: string
  /** Any one of them does; absent: none is asked for. */
  credentials?: readonly SchemeName[]
  body?: { schema: z.ZodType; types: readonly string[] }
  query?: z.ZodObject
  answers: readonly OperationAnswer[]
}

/** By method and path. */
export type Operations = Readonly<Record<`${'GET' | 'POST'} ${string}`, Operation>>

export const json = 'application/json'
export const form = 'application/x-www-form-urlencoded'

export const securitySchemes = {
  accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
  refreshCookie: { type: 'apiKey', in: 'cookie', name: 'TEST_AUTH_SERVER_REFRESH' },
  clientSecret: { type: 'http', scheme: 'basic' },
} as const

export type SchemeName = keyof typeof securitySchemes

const text = { type: 'string' } as const
const requestId = { ...text, pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{7,39}$' } as const

export const headers = {
  RequestId: { description: 'Of this request, as in the log.', schema: requestId },
  CorrelationId: { description: 'Of the story that this request is of.', schema: requestId },
  RetryAfter: { description: 'Seconds.', schema: { type: 'integer', minimum: 1 } },
  Authenticate: { description: 'How to come back.', schema: text },
  RefreshCookie: { description: 'The refresh token, for /api/auth.', schema: text },
} as const

export type HeaderName = keyof typeof headers

const headerNames: Readonly<Record<HeaderName, string>> = {
  RequestId: 'X-Request-Id',
  CorrelationId: 'X-Correlation-Id',
  RetryAfter: 'Retry-After',
  Authenticate: 'WWW-Authenticate',
  RefreshCookie: 'Set-Cookie',
}

const taken = (name: string) => ({ name, in: 'header', schema: requestId }) as const

export const parameters = {
  RequestId: { ...taken('X-Request-Id'), description: 'Taken over; made where it is absent.' },
  CorrelationId: { ...taken('X-Correlation-Id'), description: 'Default: the request id.' },
}

type Kinds = Readonly<Record<string, { status: number; message: string }>>

const headersOf = (status: number, codes: readonly string[]): HeaderName[] => [
  ...(status === 401 ? (['Authenticate'] as const) : []),
  ...(codes.includes('ACCOUNT_LOCKED') ? (['RetryAfter'] as const) : []),
]

/** One for each status, with the codes that come with it. */
export function errorAnswers(
  codes: readonly string[],
  kinds: Kinds = errorKinds,
): OperationAnswer[] {
  const byStatus = Map.groupBy(codes, (code) => kinds[code]?.status ?? 500)
  const lineOf = (code: string) => `\`${code}\`: ${kinds[code]?.message}`
  return [...byStatus].map(([status, own]) => ({
    status,
    description: own.map(lineOf).join('\n'),
    schema: errorAnswerWith(own),
    headers: headersOf(status, own),
  }))
}

const headersIn = (names: readonly HeaderName[]) =>
  Object.fromEntries(
    names.map((name) => [headerNames[name], { $ref: `#/components/headers/${name}` }]),
  )

const responsesOf = (answers: readonly OperationAnswer[]): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    answers.map(({ status, description, schema, headers: own = [] }) => [
      String(status),
      {
        description,
        headers: headersIn(['RequestId', 'CorrelationId', ...own]),
        content: { [json]: { schema } },
      },
    ]),
  )

const bodyOf = ({ schema, types }: NonNullable<Operation['body']>) => ({
  required: true,
  content: Object.fromEntries(types.map((type) => [type, { schema }])),
})

export function describeOperation(operation: Operation): ZodOpenApiOperationObject {
  const { tag, id, summary, description, credentials, body, query, answers } = operation
  return {
    tags: [tag],
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    parameters: Object.keys(parameters).map((name) => ({
      $ref: `#/components/parameters/${name}`,
    })),
    ...(query && { requestParams: { query } }),
    ...(body && { requestBody: bodyOf(body) }),
    security: credentials ? credentials.map((name) => ({ [name]: [] })) : [{}],
    responses: responsesOf(answers),
  }
}

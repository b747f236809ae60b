// For tests: the API as its clients see it.
import { expect } from 'vitest'
import { faultsOfExchange } from '../../openapi/test-support/check-answer.ts'
import { ownConnection } from '../../test-support/test-browser.ts'
import { errorKinds } from '../api/identity-error.ts'
import type { ErrorCode } from '../api/identity-error.ts'
import { answers, errorAnswer } from '../api/schemas.ts'

export interface Answer {
  status: number
  headers: Headers
  // Tests look into it as they please.
  // oxlint-disable-next-line typescript/no-explicit-any
  body: any
  text: string
}

export type Headed = Record<string, string>

function jsonIn(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}

/** Each answer is held against the API's description. */
export async function send(
  issuer: string,
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Headed } = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`${issuer}/api/auth/${path}`, {
    method,
    headers: {
      ...ownConnection,
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(body === undefined ? {} : { body: text }),
  })
  const answered = await response.text()
  const { status, headers: given } = response
  const json: unknown = answered.startsWith('{') ? JSON.parse(answered) : undefined
  const at = new URL(response.url).pathname
  const exchange = { method, path: at, sent: jsonIn(text), status, body: json, headers: given }
  expect(at.startsWith('/api/auth') ? faultsOfExchange(exchange) : []).toEqual([])
  return { status, headers: given, body: json, text: answered }
}

export const post = (issuer: string, path: string, body: unknown, headers: Headed = {}) =>
  send(issuer, 'POST', path, { body, headers })

export const logIn = (issuer: string, name: string, password = 'password', headers: Headed = {}) =>
  post(issuer, 'login', { email: `${name}@example.test`, password }, headers)

export const bearer = (token: string): Headed => ({ authorization: `Bearer ${token}` })

export const refreshCookieOf = ({ headers }: Answer): string =>
  headers.getSetCookie().find((one) => one.startsWith('TEST_AUTH_SERVER_REFRESH=')) ?? ''

/** As a Cookie header. */
export const cookieOf = (answer: Answer): Headed => ({
  cookie: refreshCookieOf(answer).split(';')[0] ?? '',
})

export function expectSuccess(answer: Answer, name: keyof typeof answers): void {
  expect(answer.status, answer.text).toBe(200)
  expect(answers[name].safeParse(answer.body).error).toBeUndefined()
  expect(answer.headers.get('cache-control')).toBe('no-store')
}

export function expectError(answer: Answer, code: ErrorCode): void {
  expect([answer.body?.code, answer.status]).toEqual([code, errorKinds[code].status])
  expect(errorAnswer.safeParse(answer.body).error).toBeUndefined()
  expect(answer.body.request_id).toBe(answer.headers.get('x-request-id'))
  expect(answer.headers.getSetCookie()).toEqual([])
}

// For tests: a server with the clients of the token service, and what such a client sends.
import { expect } from 'vitest'
import { faultsOfExchange, isDescribed } from '../openapi/test-support/check-answer.ts'
import type { RunningUpstreamTestServer, StartOptions } from '../start.ts'
import { callback, ownConnection, startForTest } from './test-browser.ts'

export const gatewayCallback = 'http://127.0.0.1:9/gateway/callback'
export const gateway = { client_id: 'api-gateway', client_secret: 'gateway-canary-secret' }
export const worker = { client_id: 'worker', client_secret: 'worker-canary-secret' }

export const startWithServices = (
  options: Partial<StartOptions> = {},
  lines: string[] = [],
): Promise<RunningUpstreamTestServer> =>
  startForTest(
    {
      clients: [
        { clientId: 'test-client', clientSecret: 'test-secret', redirectUris: [callback] },
        {
          clientId: gateway.client_id,
          clientSecret: gateway.client_secret,
          redirectUris: [gatewayCallback],
          pkce: 'optional',
        },
        {
          clientId: worker.client_id,
          clientSecret: worker.client_secret,
          redirectUris: [],
          serviceAudiences: ['logging-backend', 'https://files.example/'],
        },
      ],
      ...options,
    },
    lines,
  )

export type Fields = Readonly<Record<string, string>>
export interface JsonAnswer {
  status: number
  headers: Headers
  body: Record<string, unknown>
}

/** Each answer of a path that the API's description has is held against it. */
async function answerOf(method: string, response: Response): Promise<JsonAnswer> {
  const { status, headers } = response
  const body = (await response.json()) as Record<string, unknown>
  const { pathname: path } = new URL(response.url)
  if (isDescribed(path, method))
    expect(faultsOfExchange({ method, path, status, body, headers })).toEqual([])
  return { status, headers, body }
}

export async function get(url: string): Promise<JsonAnswer> {
  return answerOf('GET', await fetch(url, { headers: ownConnection }))
}

export async function postForm(url: string, fields: Fields): Promise<JsonAnswer> {
  const body = new URLSearchParams(fields)
  return answerOf('POST', await fetch(url, { method: 'POST', headers: ownConnection, body }))
}

export async function post(url: string, type: string, body: string): Promise<JsonAnswer> {
  const headers = { ...ownConnection, 'content-type': type }
  return answerOf('POST', await fetch(url, { method: 'POST', headers, body }))
}

export const postJson = (url: string, value: unknown): Promise<JsonAnswer> =>
  post(url, 'application/json', JSON.stringify(value))

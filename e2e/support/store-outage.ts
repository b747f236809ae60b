// What the adapter says while its store is away.
import { expect } from './fixtures.ts'
import { authorizationRequest } from './http-client.ts'
import type { Chain } from './processes.ts'

/** Far above the 600 ms of a healthy machine, also for a busy one: these tests say "no hang", the driver's own say how fast. */
export const NO_HANG_MS = 4000
export const NO_STORE = { name: 'We can not sign you in right now' }

export interface Answer {
  status: number
  body: string
  headers: Headers
  ms: number
}

export async function timed(url: string | URL): Promise<Answer> {
  const startedAt = performance.now()
  const response = await fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' })
  return {
    status: response.status,
    headers: response.headers,
    body: await response.text(),
    ms: performance.now() - startedAt,
  }
}

export const authorize = (chain: Chain) => timed(authorizationRequest(chain).url)

export function expectUnavailable({ status, body, headers, ms }: Answer): void {
  expect(status).toBe(503)
  expect(body).toContain(NO_STORE.name)
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
  expect(ms).toBeLessThan(NO_HANG_MS)
}

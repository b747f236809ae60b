// For tests: a server of their own with its control listener, strict again after each test.
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { createControlClient } from '../control-client.ts'
import type { ControlClient } from '../control-client.ts'
import type { RunningUpstreamTestServer, StartOptions } from '../start.ts'
import {
  authorizationRequest,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
  signIn,
  startForTest,
} from './test-browser.ts'
import type { TestBrowser, TokenResponse } from './test-browser.ts'

export interface Controlled {
  server: RunningUpstreamTestServer
  control: ControlClient
}

export function useControl(options: Partial<StartOptions> = {}): Controlled {
  const on = {} as Controlled
  beforeAll(async () => {
    on.server = await startForTest({ controlPort: 0, ...options })
    on.control = createControlClient(String(on.server.controlUrl))
  })
  afterEach(() => on.control.reset())
  afterAll(() => on.server.close())
  return on
}

type Parameters = Record<string, string | undefined>

/** A whole sign-in as test-client; undefined tokens where it did not come to a code. */
export async function tokensOf(
  issuer: string,
  username = 'testuser',
  parameters: Parameters = {},
  browser: TestBrowser = createTestBrowser(new URL(issuer).origin),
): Promise<Required<TokenResponse>['body'] & { nonce: string }> {
  const request = authorizationRequest(issuer, parameters)
  const opened = await browser.open(request.url)
  const page =
    opened.body === '' ? opened : await browser.submit(opened, { username, password: 'password' })
  expect(codeOf(page)).not.toBe('')
  const { body } = await redeem(issuer, codeOf(page), request.verifier)
  return { ...body, nonce: request.nonce }
}

/** Where a sign-in ends that is not to succeed. */
export async function refusedAt(
  issuer: string,
  username = 'testuser',
  parameters: Parameters = {},
): Promise<URL> {
  const browser = createTestBrowser(new URL(issuer).origin)
  return (await signIn(browser, authorizationRequest(issuer, parameters), username)).url
}

const basic = `Basic ${Buffer.from('test-client:test-secret').toString('base64')}`

export async function refreshWith(issuer: string, token: string | undefined) {
  const response = await fetch(`${issuer}/oauth2/token`, {
    method: 'POST',
    headers: { ...ownConnection, authorization: basic },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token ?? '' }),
  })
  return { status: response.status, body: (await response.json()) as TokenResponse['body'] }
}

export async function userinfoOf(issuer: string, accessToken: string | undefined) {
  const headers = { ...ownConnection, authorization: `Bearer ${accessToken}` }
  const response = await fetch(`${issuer}/userinfo`, { headers })
  const body = response.ok ? ((await response.json()) as Record<string, unknown>) : {}
  return { status: response.status, body }
}

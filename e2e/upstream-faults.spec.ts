// An upstream that answers wrongly: no answer ends in a page that names the flow, a wrong identity in an error at the app; the next login works.
import type { Page, Response } from 'playwright/test'
import type { EndpointFault, TokenFault } from '../upstream-test-server/behaviour/faults/faults.ts'
import { createControlClient, type ControlClient } from '../upstream-test-server/control-client.ts'
import { freePorts } from '../scripts/ports.ts'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { expectSignedIn, flowIdOn, logged, openApp } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'

let chain: Chain
let control: ControlClient
test.beforeAll(async () => {
  const [port = 0] = await freePorts(1)
  control = createControlClient(`http://127.0.0.1:${port}`)
  chain = await startChain({
    storage: 'sqlite',
    env: { UPSTREAM_CONTROL_PORT: String(port) },
  })
})
test.afterEach(() => control.reset())
test.afterAll(() => chain.stop())

/** Submits the form; resolves with the first answer that is no redirect. */
async function signInAnswer(page: Page): Promise<Response> {
  await openApp(page, chain)
  const answer = page.waitForResponse(
    (response) =>
      response.request().isNavigationRequest() && ![302, 303].includes(response.status()),
  )
  await fillSignIn(page)
  return answer
}

const reasonOf = (failed: Record<string, unknown> | undefined) =>
  (failed?.['error'] as { message?: string } | undefined)?.message

const lastFailure = () => logged(chain.logs(chain.adapter), 'login.failed').at(-1)

/** The upstream is right again: its session is there, so no form is shown. */
async function expectNextLoginWorks(page: Page): Promise<void> {
  await openApp(page, chain)
  await expectSignedIn(page)
}

const tokenAnswers: [EndpointFault, RegExp][] = [
  [{ kind: 'status', status: 503 }, /answered 503$/],
  [{ kind: 'drop' }, /can not be reached/],
  [{ kind: 'truncated' }, /can not be reached/],
  [{ kind: 'content_type', contentType: 'text/html' }, /no usable answer/],
  [{ kind: 'oversized', bytes: 2_000_000 }, /more than 1048576 bytes/],
  [{ kind: 'oauth_error', error: 'server_error' }, /400 server_error$/],
]
for (const [fault, reason] of tokenAnswers)
  test(`F04 F05 token endpoint, ${fault.kind}: a page, and the next login works`, async ({
    page,
  }) => {
    await control.failNext('token', fault)
    const answer = await signInAnswer(page)
    expect(answer.status()).toBe(502)
    expect(new URL(answer.url()).origin).toBe(chain.adapterUrl)
    expect(lastFailure()).toMatchObject({ flow_id: await flowIdOn(page), code: 'unavailable' })
    expect(reasonOf(lastFailure())).toMatch(reason)
    await expectNextLoginWorks(page)
  })

const idTokens: [TokenFault, RegExp][] = [
  [{ kind: 'bad_signature' }, /signature does not verify/],
  [{ kind: 'unknown_kid' }, /kid "unknown"/],
  [{ kind: 'alg_none' }, /alg: expected RS256, got "none"/],
  [{ kind: 'alg_hs256' }, /alg: expected RS256, got "HS256"/],
  [{ kind: 'wrong_iss' }, /ID token iss/],
  [{ kind: 'wrong_aud' }, /ID token aud/],
  [{ kind: 'wrong_azp' }, /azp/],
  [{ kind: 'wrong_nonce' }, /ID token nonce/],
  [{ kind: 'expired' }, /exp: clock: \d+ s past/],
  [{ kind: 'future_iat' }, /iat: clock: \d+ s ahead/],
  [{ kind: 'missing_claim', claim: 'sub' }, /ID token sub/],
]
for (const [fault, reason] of idTokens)
  test(`F09 ID token, ${fault.kind}: the app is told server_error, and the next login works`, async ({
    page,
  }) => {
    await control.corruptNext(fault)
    const answer = await signInAnswer(page)
    expect(new URL(answer.url()).origin).toBe(chain.appUrl)
    await expect(page.locator('#oauth-error')).toHaveText('server_error')
    expect(lastFailure()).toMatchObject({ code: 'identity_invalid' })
    expect(reasonOf(lastFailure())).toMatch(reason)
    await expectNextLoginWorks(page)
  })

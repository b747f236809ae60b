// What the processes never write down, whatever the level.
import type { BrowserContext, Request } from 'playwright/test'
import { expect, signIn, test } from './support/fixtures.ts'
import { authorizationRequest, redeemCode } from './support/http-client.ts'
import { createHttpBrowser, submitSignIn } from './support/http-browser.ts'
import { startChain, type Chain } from './support/processes.ts'

/** Parameters of the two legs that nobody may learn from a log. */
const SECRET_PARAMETERS = [
  'code',
  'state',
  'nonce',
  'code_challenge',
  'code_verifier',
  'id_token_hint',
  'client_secret',
  'password',
]

/** Gathers what is issued to this browser, on both legs: parameters of every request, redirects included, and cookies. */
function gatherSecrets(context: BrowserContext): Set<string> {
  const secrets = new Set<string>()
  const fromParameters = (parameters: URLSearchParams) => {
    for (const name of SECRET_PARAMETERS)
      parameters.getAll(name).forEach((value) => secrets.add(value))
  }
  context.on('request', (request: Request) => {
    fromParameters(new URL(request.url()).searchParams)
    fromParameters(new URLSearchParams(request.postData() ?? ''))
  })
  context.on('response', async (response) => {
    for (const { name, value } of await response.headersArray().catch(() => [])) {
      if (name.toLowerCase() !== 'set-cookie') continue
      for (const line of value.split('\n'))
        secrets.add(line.split(';')[0]?.split(/=(.*)/s)[1] ?? '')
    }
  })
  return secrets
}

test.describe('logs', () => {
  let chain: Chain
  test.beforeAll(async () => {
    chain = await startChain({
      storage: 'sqlite',
      env: { LOG_LEVEL: 'trace', AUTH_ADAPTER_LOG__LEVEL: 'trace' },
    })
  })
  test.afterAll(() => chain.stop())

  test('A43 at level trace none of the values issued in a login is in any log, and every line is one JSON object', async ({
    page,
    context,
  }) => {
    const secrets = gatherSecrets(context)
    await signIn(page, chain)
    const pageText = await page.locator('body').innerText()
    for (const token of pageText.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []) secrets.add(token)
    for (const { value } of await context.cookies()) secrets.add(value)
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out', exact: true }).click()
    await expect(page.getByText('You are signed out of this app and of the adapter.')).toBeVisible()

    const browser = createHttpBrowser()
    const request = authorizationRequest(chain)
    const { location } = await submitSignIn(
      browser,
      await browser.follow(request.url),
      ({ origin }) => origin === chain.appUrl,
    )
    const tokens = await redeemCode(chain, location as URL, request)
    await expect(redeemCode(chain, location as URL, request)).rejects.toThrow('invalid_grant')
    for (const value of [
      ...browser.received,
      ...Object.values(tokens),
      ...location!.searchParams.values(),
    ])
      if (/^[\w.~-]{20,}$/.test(value)) secrets.add(value)
    for (const value of [request.state, request.nonce, request.codeVerifier, 'test-secret'])
      secrets.add(value)

    const issued = [...secrets].filter((value) => value.length >= 8)
    expect(issued.length).toBeGreaterThan(25)
    const lines = chain.logs()
    expect(lines.length).toBeGreaterThan(30)
    for (const line of lines)
      expect(JSON.parse(line)).toMatchObject({
        event: expect.stringMatching(/^[a-z_]+(\.[a-z_]+)*$/),
        level: expect.any(String),
        time: expect.stringMatching(/Z$/),
      })
    const text = lines.join('\n')
    const shown = issued.filter(
      (value) => text.includes(value) || text.includes(encodeURIComponent(value)),
    )
    expect(
      shown.map((value) => ({ value, line: lines.find((line) => line.includes(value)) })),
    ).toEqual([])
    // A part of a value is as good as the whole: the secret half of a state, the signature of a token.
    const halves = issued.flatMap((value) => value.split('.')).filter((part) => part.length >= 40)
    expect(halves.filter((part) => text.includes(part))).toEqual([])
  })
})

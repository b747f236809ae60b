// The two ways to sign in at the test app: the same claims in the end, one refresh for many requests, and one story, on the audit
// page as in the logs of the processes. How live views end is in live-log.spec.ts, the form itself in login-form.spec.ts.
import type { BrowserContext, Page } from 'playwright/test'
import { expect, signIn, test } from './support/fixtures.ts'
import { fillForm, openForm, signInByForm } from './support/login-form.ts'
import { logged } from './support/pages.ts'
import type { Chain } from './support/processes.ts'

type Claims = Record<string, unknown>

/** Those that differ from one token to the next. */
const ofOneToken = ['iat', 'exp', 'jti', 'auth_time', 'sid', 'nbf']

/** Of the access token that the page shows. */
async function claimsOn(page: Page, { appUrl }: Chain): Promise<Claims> {
  await page.goto(`${appUrl}/authenticated`)
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
  const text = await page.locator('body').innerText()
  const tokens = text.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []
  const [token = ''] = tokens
  const claims = JSON.parse(
    Buffer.from(token.split('.')[1] ?? '', 'base64url').toString(),
  ) as Claims
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ofOneToken.includes(name)))
}

test('both ways to sign in end in the same claims', async ({ browser, chain }) => {
  const [byChain, byForm] = [await browser.newContext(), await browser.newContext()]
  const [first, second] = [await byChain.newPage(), await byForm.newPage()]
  await signIn(first, chain)
  await signInByForm(second, chain)
  const claims = await claimsOn(first, chain)
  expect(claims).toMatchObject({
    iss: chain.adapterUrl,
    sub: 'testuser',
    test_auth_server_sub: 'testuser',
  })
  expect(await claimsOn(second, chain)).toEqual(claims)
  await Promise.all([byChain.close(), byForm.close()])
})

/** What a browser does with a cookie whose time is over. */
const forgetAccessToken = (context: BrowserContext) =>
  context.clearCookies({ name: 'TEST_APP_ACCESS' })

const askTenTimes = (page: Page): Promise<number[]> =>
  page.evaluate(async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => fetch('/api/me')))
    return answers.map(({ status }) => status)
  })

test('ten requests at once whose access token is over make one refresh, and all are answered', async ({
  page,
  context,
  chain,
}) => {
  await signInByForm(page, chain)
  const refreshes = () => logged(chain.logs(chain.upstream), 'identity.refreshed').length
  const before = refreshes()
  for (const expected of [1, 2]) {
    await forgetAccessToken(context)
    expect(await askTenTimes(page)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(refreshes() - before).toBe(expected)
  }
})

test('the audit page tells the story of a sign-in by the form, with its branch', async ({
  page,
  chain,
}) => {
  await openForm(page, chain)
  await fillForm(page, { email: 'multi@example.test' })
  await page.getByRole('radio').first().check()
  await page.getByRole('button', { name: 'Go on' }).click()
  await expect(page.locator('.who')).toContainText('Signed in as Mina Multi')
  await page.goto(`${chain.appUrl}/audit`)
  const story = page.getByRole('article').first()
  await expect(story.getByRole('heading')).toContainText('Signed in')
  const steps = [
    'password_accepted',
    'branch_asked',
    'branch_chosen',
    'token_exchanged',
    'finished',
  ]
  for (const step of steps)
    await expect(story.getByText(`login.${step}`, { exact: true })).toBeVisible()
  expect(await page.content()).not.toContain('multi@example.test')
})

interface Line {
  event: string
  correlation_id?: string
}

const idsOf = (lines: readonly string[], event: string) =>
  new Set((logged(lines, event) as unknown as Line[]).map((line) => line.correlation_id))

test('a login by the form is one story in the logs of app and identity service', async ({
  page,
  chain,
}) => {
  await signInByForm(page, chain)
  const atGateway = logged(chain.logs(chain.testApp), 'gateway.forwarded').at(-1)
  expect(atGateway).toMatchObject({
    route_id: 'identity-auth',
    path: '/api/auth/login',
    status: 200,
  })
  const { correlation_id: id } = atGateway as unknown as Line
  for (const [part, event] of [
    [chain.testApp, 'audit.login.finished'],
    [chain.upstream, 'identity.login_succeeded'],
  ] as const)
    await expect.poll(() => [...idsOf(chain.logs(part), event)]).toContain(id)
})

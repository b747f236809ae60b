// What holds for both ways to sign in at the test app: the same claims in the end, one refresh for many requests, live views that
// end with the sign-in, and one story in the logs of all three processes.
import type { BrowserContext, Page, WebSocket as PageSocket } from 'playwright/test'
import { expect, signIn, test } from './support/fixtures.ts'
import { signInByQuery, signOutByQuery } from './support/graphql.ts'
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
  await signInByQuery(second, chain)
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
  await signInByQuery(page, chain)
  const refreshes = () => logged(chain.logs(chain.upstream), 'identity.refreshed').length
  const before = refreshes()
  for (const expected of [1, 2]) {
    await forgetAccessToken(context)
    expect(await askTenTimes(page)).toEqual(Array.from({ length: 10 }, () => 200))
    expect(refreshes() - before).toBe(expected)
  }
})

/** As the live log does; resolves when the app takes it. */
async function openSocket(page: Page, { appUrl }: Chain): Promise<PageSocket> {
  // Beside the one of the page, where it has a live log.
  const opened = page.waitForEvent('websocket', (socket) => socket.url().endsWith('&by=test'))
  await page.evaluate(
    (url) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url)
        socket.addEventListener('close', reject)
        // https://socket.io/docs/v4/socket-io-protocol/#connection-to-a-namespace
        socket.addEventListener('message', ({ data }) => {
          if (String(data).startsWith('0')) socket.send('40')
          if (String(data).startsWith('40')) resolve(undefined)
        })
      }),
    `${appUrl.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&by=test`,
  )
  return opened
}

test('a sign-out in one tab closes the socket of the other, and of nobody else', async ({
  page,
  context,
  browser,
  chain,
}) => {
  const elsewhere = await browser.newPage()
  await signInByQuery(page, chain)
  await signInByQuery(elsewhere, chain)
  const [socket, other] = [await openSocket(page, chain), await openSocket(elsewhere, chain)]
  const closed = socket.waitForEvent('close')
  const tab = await context.newPage()
  await tab.goto(chain.appUrl)
  await signOutByQuery(tab)
  await closed
  expect([socket.isClosed(), other.isClosed()]).toEqual([true, false])
  expect((await page.request.get(`${chain.appUrl}/api/me`)).status()).toBe(401)
  await elsewhere.close()
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
  await signInByQuery(page, chain)
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

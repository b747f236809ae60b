// Several sign-ins at once in one browser.
import type { BrowserContext, Page, Request } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import type { Chain } from './support/processes.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const form = (page: Page) => page.getByLabel('Password')

/** Opens each URL in a tab of its own; every tab waits at the sign-in form. */
async function openTabs(context: BrowserContext, urls: readonly string[]): Promise<Page[]> {
  return Promise.all(
    urls.map(async (url) => {
      const tab = await context.newPage()
      await tab.goto(url)
      await expect(form(tab)).toBeVisible()
      return tab
    }),
  )
}

async function finishAt(tab: Page, url: string): Promise<void> {
  await fillSignIn(tab)
  await tab.waitForURL(url)
  await expect(heading(tab)).toHaveText('Hello, testuser')
}

const deepLinks = (chain: Chain, count: number) => Array.from({ length: count }, (_, index) => `${chain.appUrl}/authenticated/tab/${index + 1}`)

for (const count of [2, 6]) {
  test(`F62 ${count} tabs: begun together, finished one after the other, each where it wanted to go`, { tag: '@redis' }, async ({ context, chain }) => {
    const urls = deepLinks(chain, count)
    const tabs = await openTabs(context, urls)
    for (const [index, tab] of tabs.toReversed().entries()) await finishAt(tab, urls.at(-1 - index)!)
  })

  test(`F62 ${count} tabs: begun together, finished together`, async ({ context, chain }) => {
    const urls = deepLinks(chain, count)
    const tabs = await openTabs(context, urls)
    await Promise.all(tabs.map((tab, index) => finishAt(tab, urls[index]!)))
    await Promise.all(tabs.map((tab) => tab.reload()))
    for (const tab of tabs) await expect(heading(tab)).toHaveText('Hello, testuser')
  })
}

test('F62 20 tabs of two apps: all finish, in any order', async ({ context, chain }) => {
  const urls = deepLinks(chain, 20).map((url, index) => (index % 2 === 0 ? url : url.replace(chain.appUrl, chain.secondAppUrl)))
  const tabs = await openTabs(context, urls)
  // 7 has no factor in common with 20: every tab is met once.
  const inOtherOrder = tabs.map((_, step) => (step * 7) % tabs.length)
  for (const index of inOtherOrder) await finishAt(tabs[index]!, urls[index]!)
})

test('F67 a tab that waits while another signs in as somebody else: one person in the end, and their token', async ({ context, chain }) => {
  const [first, second] = await openTabs(context, deepLinks(chain, 2))
  await fillSignIn(first!, { username: 'ada' })
  await expect(heading(first!)).toHaveText('Hello, Ada Admin')
  await fillSignIn(second!)
  await expect(heading(second!)).toHaveText('Hello, testuser')
  await expect(second!.locator('[data-claim="authorities"]')).toHaveText('ROLE_USER')
  await first!.reload()
  await expect(heading(first!)).toHaveText('Hello, testuser')
})

const OPENED = 60
const KEPT = 20
const MOST_COOKIE_BYTES = 8192

/** The longest Cookie header that the browser sent to each address. */
function longestCookies(page: Page): Map<string, Promise<number>> {
  const longest = new Map<string, Promise<number>>()
  const measure = async (request: Request, before: Promise<number> | undefined) => {
    const headers = await request.allHeaders()
    return Math.max((await before) ?? 0, headers['cookie']?.length ?? 0)
  }
  page.on('requestfinished', (request) => {
    const { origin, pathname } = new URL(request.url())
    const address = origin + pathname
    longest.set(address, measure(request, longest.get(address)))
  })
  return longest
}

test(`F63 of ${OPENED} sign-ins left open the newest ${KEPT} work, the others get a page with a way on`, async ({ page, chain }) => {
  const cookies = longestCookies(page)
  const forms: string[] = []
  for (const url of deepLinks(chain, OPENED)) {
    await page.goto(url)
    await expect(form(page)).toBeVisible()
    forms.push(page.url())
  }
  for (const [index, url] of forms.slice(-KEPT).entries()) {
    await page.goto(url)
    await finishAt(page, `${chain.appUrl}/authenticated/tab/${OPENED - KEPT + index + 1}`)
  }
  await page.goto(forms[OPENED - KEPT - 1]!)
  await fillSignIn(page)
  await expect(heading(page)).toHaveText('This sign-in was not started here, or is over')
  await page.getByRole('link', { name: 'Go to Test app' }).click()
  await expect(page.getByText('You are signed in as testuser')).toBeVisible()
  const measured = await Promise.all([...cookies].map(async ([address, bytes]) => [address, await bytes] as const))
  expect(measured.length).toBeGreaterThan(OPENED)
  expect(measured.filter(([, bytes]) => bytes >= MOST_COOKIE_BYTES)).toEqual([])
})

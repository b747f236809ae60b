// Several sign-ins at once in one browser.
import type { BrowserContext, Page, Request } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { startChain, type Chain } from './support/processes.ts'

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

const deepLinks = (chain: Chain, count: number) =>
  Array.from({ length: count }, (_, index) => `${chain.appUrl}/authenticated/tab/${index + 1}`)

for (const count of [2, 6]) {
  test(
    `F62 ${count} tabs: begun together, finished one after the other, each where it wanted to go`,
    { tag: '@redis' },
    async ({ context, chain }) => {
      const urls = deepLinks(chain, count)
      const tabs = await openTabs(context, urls)
      for (const [index, tab] of tabs.toReversed().entries())
        await finishAt(tab, urls.at(-1 - index)!)
    },
  )

  test(`F62 ${count} tabs: begun together, finished together`, async ({ context, chain }) => {
    const urls = deepLinks(chain, count)
    const tabs = await openTabs(context, urls)
    await Promise.all(tabs.map((tab, index) => finishAt(tab, urls[index]!)))
    await Promise.all(tabs.map((tab) => tab.reload()))
    for (const tab of tabs) await expect(heading(tab)).toHaveText('Hello, testuser')
  })
}

test('F62 20 tabs of two apps: all finish, in any order', async ({ context, chain }) => {
  const urls = deepLinks(chain, 20).map((url, index) =>
    index % 2 === 0 ? url : url.replace(chain.appUrl, chain.secondAppUrl),
  )
  const tabs = await openTabs(context, urls)
  // 7 has no factor in common with 20: every tab is met once.
  const inOtherOrder = tabs.map((_, step) => (step * 7) % tabs.length)
  for (const index of inOtherOrder) await finishAt(tabs[index]!, urls[index]!)
})

test('F67 a tab that waits while another signs in as somebody else: one person in the end, and their token', async ({
  context,
  chain,
}) => {
  const [first, second] = await openTabs(context, deepLinks(chain, 2))
  await fillSignIn(first!, { username: 'ada' })
  await expect(heading(first!)).toHaveText('Hello, Ada Admin')
  await fillSignIn(second!)
  await expect(heading(second!)).toHaveText('Hello, testuser')
  await expect(second!.locator('[data-claim="authorities"]')).toHaveText('ROLE_USER')
  await first!.reload()
  await expect(heading(first!)).toHaveText('Hello, testuser')
})

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

/** Opens sign-ins one after the other and leaves each at its form; returns the forms' addresses. */
async function leaveOpen(page: Page, urls: readonly string[]): Promise<string[]> {
  const forms: string[] = []
  for (const url of urls) {
    await page.goto(url)
    await expect(form(page)).toBeVisible()
    forms.push(page.url())
  }
  return forms
}

async function expectEvicted(page: Page, openForm: string): Promise<void> {
  await page.goto(openForm)
  await fillSignIn(page)
  await expect(heading(page)).toHaveText('This sign-in was not started here, or is over')
  await page.getByRole('link', { name: 'Go to Test app' }).click()
  await expect(page.getByText('You are signed in as testuser')).toBeVisible()
}

/** Finishes those of the newest twenty that `indexes` names, then the newest of the others. */
async function expectNewestToWork(
  page: Page,
  chain: Chain,
  opened: number,
  indexes: readonly number[],
): Promise<void> {
  const cookies = longestCookies(page)
  const urls = deepLinks(chain, opened)
  const forms = await leaveOpen(page, urls)
  for (const index of indexes) {
    await page.goto(forms.slice(-KEPT)[index]!)
    await finishAt(page, urls.slice(-KEPT)[index]!)
  }
  await expectEvicted(page, forms.at(-KEPT - 1)!)
  const measured = await Promise.all(
    [...cookies].map(async ([address, bytes]) => [address, await bytes] as const),
  )
  expect(measured.length).toBeGreaterThan(opened)
  expect(measured.filter(([, bytes]) => bytes >= MOST_COOKIE_BYTES)).toEqual([])
}

test('F63 of 25 sign-ins left open the newest 20 work, an older one gets a page with a way on', async ({
  page,
  chain,
}) => {
  await expectNewestToWork(
    page,
    chain,
    25,
    Array.from({ length: KEPT }, (_, index) => index),
  )
})

// On hosts of their own: a browser keeps 180 cookies for a host, and here three processes would share them.
test('F63 of 60 sign-ins left open the newest 20 work', async ({
  storage,
  launchOptions,
  playwright,
}) => {
  const chain = await startChain({ storage, https: true })
  const browser = await playwright.chromium.launch({
    ...launchOptions,
    args: [...(launchOptions.args ?? []), ...chain.browserArgs],
  })
  try {
    await expectNewestToWork(await browser.newPage(), chain, 60, [0, 10, 19])
  } finally {
    await browser.close()
    await chain.stop()
  }
})

// Links of a sign-in that are opened in a browser which did not begin it.
import type { Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { hopsAt, recordHops } from './support/hops.ts'
import type { Chain } from './support/processes.ts'
import {
  CALLBACKS,
  withheld,
  withheldAdapterAnswer,
  withheldUpstreamAnswer,
} from './support/walk.ts'

interface Browsers {
  /** Began the sign-in, and is on the upstream's form. */
  starter: Page
  other: Page
}

const both = test.extend<Browsers>({
  starter: async ({ browser, chain }, use) => {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${chain.appUrl}/authenticated`)
    await use(page)
    await context.close()
  },
  other: async ({ browser }, use) => {
    const context = await browser.newContext()
    await use(await context.newPage())
    await context.close()
  },
})

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const sessionCookies = async (page: Page) =>
  (await page.context().cookies()).map(({ name }) => name).filter((name) => /SESSION/.test(name))

const NOT_HERE = 'This sign-in was not started here, or is over'

/** Opens a link of somebody else's, and expects the page that says so, and nothing more. */
async function expectNothingFor(
  page: Page,
  link: string,
  chain: Chain,
  title: string = NOT_HERE,
): Promise<void> {
  const before = await sessionCookies(page)
  const hops = recordHops(page)
  await page.goto(link)
  await expect(heading(page)).toHaveText(title)
  expect(hops.map(({ status }) => status)).toEqual([400])
  expect(
    hopsAt(hops, chain.appUrl).filter(
      ({ url }) => url.searchParams.has('code') && url.href !== link,
    ),
  ).toEqual([])
  expect(await sessionCookies(page)).toEqual(before)
}

both(
  'A03 the upstream’s answer counts only in the browser that began the login',
  async ({ starter, other, chain }) => {
    const answer = await withheldUpstreamAnswer(starter, chain)
    await expectNothingFor(other, answer, chain)
    await other.goto(`${chain.appUrl}/authenticated`)
    await expect(other.getByLabel('Password')).toBeVisible()
  },
)

both(
  'A03 an answer that was tried elsewhere is used up: its own browser goes to the upstream once more',
  async ({ starter, other, chain }) => {
    const answer = await withheldUpstreamAnswer(starter, chain)
    await other.goto(answer)
    const hops = recordHops(starter)
    await starter.goto(answer)
    await expect(heading(starter)).toHaveText('Hello, testuser')
    const fresh = hopsAt(hops, chain.adapterUrl)
      .filter(({ url }) => url.pathname === CALLBACKS.adapter)
      .map(({ url }) => url.searchParams.get('code'))
    expect(new Set(fresh).size).toBe(2)
  },
)

both(
  'A03 in the middle of an own login, another one’s answer is still refused, and the own one works',
  async ({ starter, other, chain }) => {
    const answer = await withheldUpstreamAnswer(starter, chain)
    await other.goto(`${chain.appUrl}/authenticated`)
    const form = other.url()
    await expectNothingFor(other, answer, chain)
    await other.goto(form)
    await fillSignIn(other, { username: 'ada' })
    await expect(heading(other)).toHaveText('Hello, Ada Admin')
  },
)

both(
  'A06 an attacker’s answer does not sign a visitor in, nor change who is signed in',
  async ({ starter, other, chain }) => {
    await other.goto(`${chain.appUrl}/authenticated`)
    await fillSignIn(other, { username: 'ada' })
    await expect(heading(other)).toHaveText('Hello, Ada Admin')
    const answer = await withheldUpstreamAnswer(starter, chain)
    await expectNothingFor(other, answer, chain)
    await other.goto(`${chain.appUrl}/authenticated`)
    await expect(heading(other)).toHaveText('Hello, Ada Admin')
  },
)

both(
  'A06 the app’s callback means nothing in another browser, and its code is not spent',
  async ({ starter, other, chain }) => {
    const answer = await withheldAdapterAnswer(starter, chain)
    await other.goto(`${chain.secondAppUrl}/`)
    await other.goto(answer)
    await expect(other.getByRole('link', { name: 'Start again' })).toBeVisible()
    expect(await sessionCookies(other)).toEqual([])
    await starter.goto(answer)
    await expect(heading(starter)).toHaveText('Hello, testuser')
  },
)

const STEPS = [
  { name: 'the step to the upstream', link: (begun: URL) => begun.href, title: NOT_HERE },
  // Without the cookie of the step nothing tells another browser's from one that is over.
  {
    name: 'the resumed authorization request',
    link: (begun: URL) =>
      new URL(`/oauth2/authorize/${begun.searchParams.get('interaction')}`, begun).href,
    title: 'This sign-in took too long',
  },
]

for (const { name, link: linkOf, title } of STEPS) {
  both(
    `A03 ${name} is nothing but a page in another browser, with and without cookies`,
    async ({ starter, other, chain }) => {
      const link = linkOf(
        new URL(
          await withheld(
            starter,
            `${chain.appUrl}/authenticated`,
            `${chain.adapterUrl}/oauth2/authorization/`,
          ),
        ),
      )
      const hops = recordHops(other)
      await other.goto(link)
      expect(hops.map(({ status }) => status)).toEqual([400])
      await other.goto(`${chain.appUrl}/authenticated`)
      await expect(other.getByLabel('Password')).toBeVisible()
      await expectNothingFor(other, link, chain, title)
      expect(await sessionCookies(other)).toEqual([])
    },
  )
}

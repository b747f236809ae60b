// Every page that a person can meet in the chain, looked at in light and dark, at 320 and at 1280 pixels.
import type { Page } from 'playwright/test'
import { requestTo } from './support/authorization-request.ts'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { fillForm, openForm as openAppForm, problemOn, signInByForm } from './support/login-form.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'
import { startChain, type Chain } from './support/processes.ts'
import { CALLBACKS, withheld, withheldUpstreamAnswer } from './support/walk.ts'

interface Visit {
  name: string
  title: string | RegExp
  open: (page: Page, chain: Chain) => Promise<unknown>
}

// Recording each of so many views takes longer than looking at it.
test.use({ trace: 'off' })

const heading = (page: Page) => page.getByRole('heading', { level: 1 })

async function openForm(page: Page, chain: Chain): Promise<void> {
  await page.goto(`${chain.appUrl}/authenticated`)
  await expect(page.getByLabel('Password')).toBeVisible()
}

async function askToSignOut(page: Page, chain: Chain): Promise<void> {
  await signIn(page, chain)
  await page.goto(`${chain.appUrl}/logout`)
  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
}

/** The adapter's callback with something changed, in the browser that began the login. */
async function answerWith(page: Page, chain: Chain, change: (url: URL) => void): Promise<void> {
  await openForm(page, chain)
  const url = new URL(await withheldUpstreamAnswer(page, chain))
  change(url)
  await page.goto(url.href)
}

/** With a line of a service among them. */
async function readServiceLog(page: Page, chain: Chain): Promise<void> {
  const worker = `Basic ${Buffer.from('worker:worker-secret').toString('base64')}`
  const granted = await page.request.post(`${chain.adapterUrl}/oauth2/token`, {
    headers: { authorization: worker },
    form: { grant_type: 'client_credentials', resource: 'urn:logging-backend' },
  })
  const { access_token: token } = (await granted.json()) as { access_token: string }
  const sent = await page.request.post(`${chain.appUrl}/log`, {
    headers: { authorization: `Bearer ${token}` },
    data: {
      level: 'info',
      event: 'report.of.a.very.long.name.that.fits.no.phone',
      message: 'Sent.',
      fields: { file: '/var/lib/reports/2026/01/02/report-of-a-very-long-name.pdf', pages: 3 },
    },
  })
  expect(sent.status()).toBe(200)
  await signIn(page, chain)
  await page.goto(`${chain.appUrl}/log`)
  await expect(page.getByText('report.of.a.very')).toBeVisible()
}

const hubert = { username: 'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.the-third' }

const APP: Visit[] = [
  {
    name: 'the first page',
    title: 'One sign-in, three processes',
    open: (page, { appUrl }) => page.goto(appUrl),
  },
  {
    name: 'the first page, signed in',
    title: 'One sign-in, three processes',
    open: async (page, chain) => (await signIn(page, chain), page.goto(chain.appUrl)),
  },
  { name: 'the token', title: 'Hello, testuser', open: signIn },
  {
    name: 'what services say',
    title: 'What services say',
    open: readServiceLog,
  },
  {
    name: 'the token of somebody with a long name',
    title: /^Hello, Hubert Blaine/,
    open: (page, chain) => signIn(page, chain, hubert),
  },
  {
    name: 'the token of somebody with markup for a name',
    title: /^Hello, <img/,
    open: (page, chain) => signIn(page, chain, { username: 'bobby' }),
  },
  {
    name: 'sign-out',
    title: 'Sign out',
    open: async (page, chain) => (await signIn(page, chain), page.goto(`${chain.appUrl}/logout`)),
  },
  {
    name: 'sign-out without a session',
    title: 'You are not signed in',
    open: (page, { appUrl }) => page.goto(`${appUrl}/logout`),
  },
  {
    name: 'signed out here',
    title: 'One sign-in, three processes',
    open: async (page, chain) => {
      await signIn(page, chain)
      await page.goto(`${chain.appUrl}/logout`)
      await page.getByRole('button', { name: 'Sign out here' }).click()
    },
  },
  {
    name: 'a refusal',
    title: 'The sign-in was refused',
    open: async (page, chain) => (
      await openForm(page, chain),
      page.getByRole('button', { name: 'Cancel' }).click()
    ),
  },
  {
    name: 'a lost sign-in',
    title: 'Your browser did not keep the cookie',
    open: (page, { appUrl }) => page.goto(`${appUrl}/sign-in/lost`),
  },
  {
    name: 'no such page',
    title: 'There is no such page',
    open: async (page, chain) => (await signIn(page, chain), page.goto(`${chain.appUrl}/nothing`)),
  },
]

/** Signed in, or not, by the form of the app. */
const FORM: Visit[] = [
  { name: 'the form', title: 'Sign in', open: openAppForm },
  {
    name: 'the form with nothing in it',
    title: 'Sign in',
    open: async (page, chain) => {
      await openAppForm(page, chain)
      await fillForm(page, { email: '', password: '' })
      await expect(page.getByText('Enter your password.')).toBeVisible()
    },
  },
  {
    name: 'a wrong password in the form',
    title: 'Sign in',
    open: async (page, chain) => {
      await openAppForm(page, chain)
      await fillForm(page, { password: 'wrong' })
      await expect(problemOn(page)).toContainText('is not right')
    },
  },
  {
    name: 'the first page, signed in by the form',
    title: 'One sign-in, three processes',
    open: signInByForm,
  },
  {
    name: 'the form for somebody who is signed in',
    title: 'Sign in',
    open: async (page, chain) => {
      await signInByForm(page, chain)
      await openAppForm(page, chain)
      await expect(page.getByRole('link', { name: 'Go on' })).toBeVisible()
    },
  },
  {
    name: 'the token, signed in by the form',
    title: 'Hello, testuser',
    open: (page, chain) => signInByForm(page, chain, {}, '/authenticated'),
  },
  {
    name: 'sign-out after the form',
    title: 'Sign out',
    open: async (page, chain) => (
      await signInByForm(page, chain),
      page.goto(`${chain.appUrl}/logout`)
    ),
  },
  {
    name: 'the choice of a branch',
    title: 'Choose a branch',
    open: async (page, chain) => {
      await openAppForm(page, chain)
      await fillForm(page, { email: 'multi@example.test' })
      await expect(page.getByRole('radio')).toHaveCount(3)
    },
  },
  {
    name: 'no branch to choose',
    title: 'Choose a branch',
    open: async (page, { appUrl }) => {
      await page.goto(`${appUrl}/select-branch`)
      await expect(page.getByText('There is no branch to choose')).toBeVisible()
    },
  },
]

const UPSTREAM: Visit[] = [
  { name: 'the sign-in form', title: 'Sign in', open: openForm },
  {
    name: 'a wrong password',
    title: 'Sign in',
    open: async (page, chain) => (
      await openForm(page, chain),
      fillSignIn(page, { password: 'wrong' })
    ),
  },
  {
    name: 'a sign-in that is over',
    title: 'This sign-in is not open here',
    open: (page, { upstreamUrl }) => page.goto(`${upstreamUrl}/login?interaction=over`),
  },
  {
    name: 'the logout question',
    title: 'Sign out',
    open: async (page, chain) => (
      await signIn(page, chain),
      page.goto(`${chain.upstreamUrl}/connect/logout`)
    ),
  },
  {
    name: 'another host name',
    title: 'This server has another name',
    open: (page, { upstreamUrl }) => page.goto(upstreamUrl.replace('127.0.0.1', 'localhost')),
  },
  {
    name: 'no such page',
    title: 'There is no such page',
    open: (page, { upstreamUrl }) => page.goto(`${upstreamUrl}/nothing`),
  },
]

const ADAPTER: Visit[] = [
  {
    name: 'not_started_here',
    title: 'This sign-in was not started here, or is over',
    open: (page, { adapterUrl }) => page.goto(adapterUrl + CALLBACKS.adapter),
  },
  {
    name: 'cookies_blocked',
    title: 'Your browser blocks cookies',
    open: async (page, chain) => {
      const step = await withheld(
        page,
        `${chain.appUrl}/authenticated`,
        `${chain.adapterUrl}/oauth2/authorization/`,
      )
      await page.context().clearCookies()
      await page.goto(step)
    },
  },
  {
    name: 'expired',
    title: 'This sign-in took too long',
    open: (page, { adapterUrl }) => page.goto(`${adapterUrl}/oauth2/authorize/${'x'.repeat(21)}`),
  },
  {
    name: 'unknown_upstream',
    title: 'There is no such way to sign in',
    open: (page, { adapterUrl }) =>
      page.goto(`${adapterUrl}/oauth2/authorization/nowhere?interaction=${'x'.repeat(21)}`),
  },
  {
    name: 'upstream_failed',
    title: /^Signing in with .* failed$/,
    open: (page, chain) =>
      answerWith(page, chain, ({ searchParams }) => searchParams.set('code', 'not-the-code')),
  },
  {
    name: 'invalid_request',
    title: 'This sign-in link does not work',
    open: (page, chain) => page.goto(requestTo(chain, { client_id: 'nobody' })),
  },
  {
    name: 'not_found',
    title: 'There is nothing here',
    open: (page, { adapterUrl }) => page.goto(`${adapterUrl}/nothing`),
  },
  {
    name: 'method_not_allowed',
    title: 'This page can not be opened that way',
    open: async (page, { adapterUrl }) => {
      await page.setContent(
        `<form method="post" action="${adapterUrl}${CALLBACKS.adapter}"><button>Send</button></form>`,
      )
      await page.getByRole('button').click()
    },
  },
  {
    name: 'too_large',
    title: 'This request is too large',
    open: (page, { adapterUrl }) =>
      page.goto(`${adapterUrl}/oauth2/authorize?state=${'x'.repeat(12_000)}`),
  },
  {
    name: 'misdirected_host',
    title: 'This is not the right address',
    open: (page, { adapterUrl }) => page.goto(adapterUrl.replace('127.0.0.1', 'localhost')),
  },
  {
    name: 'already_signed_in',
    title: 'You are signed in',
    open: async (page, chain) => {
      await openForm(page, chain)
      const callback = await withheldUpstreamAnswer(page, chain)
      await page.goto(callback)
      await page.goto(callback)
    },
  },
  { name: 'the logout question', title: 'Do you want to sign out?', open: askToSignOut },
  {
    name: 'logged out',
    title: 'You are signed out',
    open: async (page, chain) => {
      await signIn(page, chain)
      await page.goto(`${chain.adapterUrl}/connect/logout?client_id=client`)
      await page.getByRole('button', { name: 'Sign out' }).click()
    },
  },
]

/** Its script sends it on at once; this answer to that leaves it where it is, as for those without scripts. */
const stayOn = (page: Page, address: string) =>
  page.route(address, (route) =>
    route.request().method() === 'POST' ? route.fulfill({ status: 204 }) : route.continue(),
  )

const WAITING: Visit[] = [
  {
    name: 'form_post',
    title: 'One moment',
    open: async (page, chain) => {
      await stayOn(page, chain.appUrl + CALLBACKS.app)
      await page.goto(requestTo(chain, { response_mode: 'form_post' }))
      await fillSignIn(page)
    },
  },
  {
    name: 'another person takes over',
    title: 'One moment',
    open: async (page, chain) => {
      await stayOn(page, `${chain.adapterUrl}/connect/logout/confirm`)
      await signIn(page, chain)
      await page.goto(requestTo(chain, { prompt: 'login' }))
      await fillSignIn(page, { username: 'ada' })
    },
  },
]

async function lookAt(
  page: Page,
  chain: Chain,
  { title, open }: Omit<Visit, 'name'>,
): Promise<void> {
  const errors = listenToConsole(page)
  await open(page, chain)
  await expect(heading(page)).toHaveText(title)
  await expectSoundPage(page)
  expect(errors).toEqual([])
}

for (const [process, visits] of Object.entries({
  app: [...APP, ...FORM],
  upstream: UPSTREAM,
  adapter: [...ADAPTER, ...WAITING],
})) {
  test.describe(`pages of the ${process}`, () => {
    test.describe.configure({ mode: 'parallel' })
    for (const visit of visits) test(visit.name, ({ page, chain }) => lookAt(page, chain, visit))
  })
}

test.describe('pages while something is down', () => {
  test.describe.configure({ mode: 'parallel' })

  test('the adapter’s, without the upstream', async ({ page, storage }) => {
    const chain = await startChain({ storage, notStarted: ['upstream'] })
    try {
      await lookAt(page, chain, {
        title: /does not answer$/,
        open: () => page.goto(`${chain.appUrl}/authenticated`),
      })
    } finally {
      await chain.stop()
    }
  })

  test('the app’s, without the adapter', async ({ page, storage }) => {
    const chain = await startChain({ storage, notStarted: ['adapter', 'upstream'] })
    try {
      await lookAt(page, chain, {
        title: 'The adapter does not answer',
        open: () => page.goto(`${chain.appUrl}/authenticated`),
      })
    } finally {
      await chain.stop()
    }
  })

  test('the adapter’s and the app’s, without Redis', async ({ page }) => {
    const chain = await startChain({ storage: 'redis' })
    try {
      await signIn(page, chain)
      await chain.redis?.kill()
      await lookAt(page, chain, {
        title: 'We can not sign you in right now',
        open: () => page.goto(requestTo(chain)),
      })
      await lookAt(page, chain, {
        title: 'The session store does not answer',
        open: () => page.goto(`${chain.appUrl}/authenticated`),
      })
    } finally {
      await chain.stop()
    }
  })
})

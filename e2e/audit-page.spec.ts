// The audit page of the test app: the story of one login, and of one that failed, as a person sees it.
import type { Page } from 'playwright/test'
import { expect, signIn, test } from './support/fixtures.ts'
import { fillForm, openForm, problemOn, signInByForm } from './support/login-form.ts'
import { expectSoundPage, listenToConsole } from './support/page-checks.ts'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
const stories = (page: Page) => page.getByRole('article')

async function openAudit(page: Page, appUrl: string): Promise<void> {
  await page.goto(appUrl)
  await page.getByRole('navigation').getByRole('link', { name: 'Audit' }).click()
  await expect(heading(page)).toHaveText('The story of each login')
}

test.describe('the audit page', () => {
  test('shows a login by way of the chain from the first redirect to the sign-out', async ({
    page,
    chain,
  }) => {
    const faults = listenToConsole(page)
    await openAudit(page, chain.appUrl)
    await expect(page.getByText('There is nothing to show yet.')).toBeVisible()
    await expect(page.getByText('Nothing new since you opened this page.')).toBeVisible()
    await expectSoundPage(page)
    await signIn(page, chain)
    await openAudit(page, chain.appUrl)
    const story = stories(page).first()
    await expect(story.getByRole('heading')).toContainText('Signed in by way of the adapter')
    const steps = ['login.started', 'login.returned', 'login.code_redeemed', 'login.finished']
    for (const step of steps) await expect(story.getByText(step, { exact: true })).toBeVisible()
    const finished = story.getByRole('listitem').filter({ hasText: 'Signed in.' })
    await finished.getByText('What was noted').click()
    await expect(finished.getByText('127.0.0.1').first()).toBeVisible()
    await expectSoundPage(page)
    const tab = await page.context().newPage()
    await tab.goto(`${chain.appUrl}/sign-in`)
    await expect(page.getByText('Something happened since')).toBeVisible({ timeout: 15_000 })
    await page.getByRole('link', { name: 'Show it' }).click()
    await tab.close()
    await expect(stories(page).nth(1).getByRole('heading')).toContainText('Signed out')
    const flow = await stories(page).first().getByRole('link').innerText()
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out here' }).click()
    await openAudit(page, chain.appUrl)
    await expect(stories(page)).toHaveCount(0)
    await page.goto(`${chain.appUrl}/authenticated`)
    await page.goto(`${chain.appUrl}/audit?flow=${flow}`)
    await expect(stories(page)).toHaveCount(1)
    await expect(stories(page).getByRole('heading')).toContainText('Signed out')
    await expect(stories(page).getByText('logout.here', { exact: true })).toBeVisible()
    expect(faults).toEqual([])
  })

  test('says why a login failed, to the browser in which it did', async ({ browser, chain }) => {
    const mine = await browser.newPage()
    await mine.goto(`${chain.appUrl}/authenticated`)
    await mine.getByRole('button', { name: 'Cancel' }).click()
    await openAudit(mine, chain.appUrl)
    await expect(stories(mine).first().getByRole('heading')).toContainText('Failed')
    await stories(mine).first().getByText('What was noted').last().click()
    await expect(mine.getByText('access_denied')).toBeVisible()
    await expectSoundPage(mine)
    const other = await browser.newPage()
    await openAudit(other, chain.appUrl)
    await expect(stories(other)).toHaveCount(0)
    await Promise.all([mine.close(), other.close()])
  })

  test('shows a login with the form, the one that failed before it, and the sign-out', async ({
    page,
    chain,
  }) => {
    await openForm(page, chain)
    await fillForm(page, { password: 'not the password' })
    await expect(problemOn(page)).toBeVisible()
    await signInByForm(page, chain)
    await openAudit(page, chain.appUrl)
    const [story, failed] = [stories(page).nth(0), stories(page).nth(1)]
    await expect(failed.getByRole('heading')).toContainText('Failed with the form of this app')
    await expect(story.getByRole('heading')).toContainText('Signed in with the form of this app')
    const steps = ['started', 'password_accepted', 'token_exchanged', 'finished', 'landed']
    for (const step of steps)
      await expect(story.getByText(`login.${step}`, { exact: true })).toBeVisible()
    await failed.getByText('What was noted').last().click()
    await expect(failed.getByText('INVALID_CREDENTIALS')).toBeVisible()
    await expect(page.getByText('single@example.test')).toHaveCount(0)
    const flow = await story.getByRole('link').innerText()
    await page.goto(`${chain.appUrl}/logout`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signInByForm(page, chain)
    await page.goto(`${chain.appUrl}/audit?flow=${flow}`)
    await expect(stories(page).getByRole('heading')).toContainText('Signed out')
    await expectSoundPage(page)
  })
})

// What a neighbour on the adapter's own domain can do with cookies: nothing but spoil a login.
import type { Cookie } from 'playwright/test'
import { expect, fillSignIn } from './support/fixtures.ts'
import { cookiesAt, parentOf, test, type Https } from './support/https.ts'
import { expectSignedIn, finishSignIn, openApp } from './support/pages.ts'

test.describe('A34 cookies planted from a neighbouring host', () => {
  const SESSION = '__Host-AUTH_ADAPTER_SESSION'

  /** The adapter cookies of someone who is signed in as another person. */
  async function attackersCookies({ chain, browser }: Https['https']): Promise<Cookie[]> {
    const context = await browser.newContext()
    const page = await context.newPage()
    await page.goto(`${chain.appUrl}/authenticated`)
    await fillSignIn(page, { username: 'testuser' })
    await expectSignedIn(page)
    const cookies = await cookiesAt(context, chain.adapterUrl)
    await context.close()
    return cookies
  }

  test('a valid session under the name without prefix, for the parent domain: it signs nobody in', async ({
    https,
    person,
  }) => {
    const planted = (await attackersCookies(https)).filter(({ name }) => name.startsWith(SESSION))
    expect(planted.map(({ name }) => name)).toContain(SESSION)
    const domain = `.${parentOf(https.chain.adapterUrl)}`
    await person.context().addCookies(
      planted.map(({ name, value }) => ({
        name: name.replace('__Host-', ''),
        value,
        domain,
        path: '/',
        secure: true,
      })),
    )
    await openApp(person, https.chain)
    await expect(person.getByLabel('User name')).toBeVisible()
  })

  test('the browser itself keeps the prefixed name from being planted', async ({
    https: { chain },
    person,
  }) => {
    const cookie = {
      name: SESSION,
      value: 'x',
      domain: `.${parentOf(chain.adapterUrl)}`,
      path: '/',
      secure: true,
    }
    await expect(person.context().addCookies([cookie])).rejects.toThrow(/[Ii]nvalid/)
  })

  test('cookies of an interaction for the parent domain: a page with the way back to the app, where it works without them', async ({
    https: { chain },
    person,
  }) => {
    const domain = `.${parentOf(chain.adapterUrl)}`
    const names = ['__Secure-AUTH_ADAPTER_RESUME', 'AUTH_ADAPTER_SESSION']
    const value = 'planted-by-a-neighbour'
    const planted = names.flatMap((name) => [name, `${name}.sig`])
    await person
      .context()
      .addCookies(planted.map((name) => ({ name, value, domain, path: '/', secure: true })))
    await openApp(person, chain)
    await fillSignIn(person)
    const heading = { name: 'This sign-in was not started here, or is over' }
    await expect(person.getByRole('heading', heading)).toBeVisible()

    await person.context().clearCookies({ domain })
    await person.getByRole('link', { name: 'Go to Test app' }).click()
    await person.getByRole('link', { name: 'Sign in', exact: true }).click()
    await expectSignedIn(person)
  })

  test('cookies of other names for the parent domain: the login does not notice', async ({
    https: { chain },
    person,
  }) => {
    const domain = `.${parentOf(chain.adapterUrl)}`
    const names = [
      'AUTH_ADAPTER_SESSION',
      'AUTH_ADAPTER_RESUME',
      'AUTH_ADAPTER_LOGIN_planted-by-a-neighbour',
      '__Secure-AUTH_ADAPTER_INTERACTION',
    ]
    await person
      .context()
      .addCookies(names.map((name) => ({ name, value: 'x', domain, path: '/', secure: true })))
    await openApp(person, chain)
    await finishSignIn(person)
  })
})

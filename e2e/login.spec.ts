// Signing in and out through the whole chain, as a person sees it.
import { Buffer } from 'node:buffer'
import type { Page } from 'playwright/test'
import { expect, fillSignIn, signIn, test } from './support/fixtures.ts'
import { describeHops, hopsAt, recordHops, type Hop } from './support/hops.ts'
import { CALLBACKS } from './support/walk.ts'

const SECRET = /^[\w.-]{20,}$/

const queryOf = (hop: Hop | undefined) => Object.fromEntries(hop?.url.searchParams ?? [])

/** The hops that set this cookie. */
async function settersOf(cookie: string, hops: readonly Hop[]): Promise<Hop[]> {
  const setting = await Promise.all(
    hops.map(async ({ response }) =>
      (await response.headerValues('set-cookie')).some((line) => line.startsWith(`${cookie}=`)),
    ),
  )
  return hops.filter((_, index) => setting[index])
}

function decoded(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Record<string, unknown>
}

async function shownToken(
  page: Page,
): Promise<{ header: Record<string, unknown>; claims: Record<string, unknown> }> {
  const jwt = (await page.getByLabel('Access token', { exact: true }).textContent()) ?? ''
  const [header, claims] = jwt.trim().split('.')
  return { header: decoded(header), claims: decoded(claims) }
}

const claim = (page: Page, name: string) => page.locator(`[data-claim="${name}"]`)

test.describe('signing in', { tag: '@redis' }, () => {
  test('the first login takes the hops of the design, each with its status', async ({
    page,
    chain,
  }) => {
    const hops = recordHops(page)
    await signIn(page, chain)
    expect(describeHops(hops, chain)).toEqual([
      'GET app /authenticated 302',
      'GET adapter /oauth2/authorize 302',
      'GET adapter /oauth2/authorization/test-auth-server 302',
      'GET upstream /oauth2/authorize 302',
      'GET upstream /login 200',
      'POST upstream /login 302',
      'GET upstream /oauth2/authorize/<uid> 302',
      `GET adapter ${CALLBACKS.adapter} 302`,
      'GET adapter /oauth2/authorize/<uid> 302',
      `GET app ${CALLBACKS.app} 302`,
      'GET app /authenticated 200',
    ])
  })

  test('both legs carry their own state, nonce and PKCE challenge', async ({ page, chain }) => {
    const hops = recordHops(page)
    await signIn(page, chain)
    const [downstream, upstream] = [queryOf(hops[1]), queryOf(hops[3])]
    const secrets = {
      state: expect.stringMatching(SECRET),
      nonce: expect.stringMatching(SECRET),
      code_challenge: expect.stringMatching(SECRET),
      code_challenge_method: 'S256',
    }
    expect(downstream).toEqual({
      client_id: 'client',
      redirect_uri: chain.appUrl + CALLBACKS.app,
      response_type: 'code',
      scope: 'openid profile read',
      ...secrets,
    })
    expect(upstream).toEqual({
      client_id: 'test-client',
      redirect_uri: chain.adapterUrl + CALLBACKS.adapter,
      response_type: 'code',
      scope: 'openid profile',
      ...secrets,
    })
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(upstream[name]).not.toBe(downstream[name])
    expect(queryOf(hops[7])).toEqual({
      code: expect.stringMatching(SECRET),
      state: upstream['state'],
      iss: chain.upstreamUrl,
    })
    expect(queryOf(hops[9])).toEqual({
      code: expect.stringMatching(SECRET),
      state: downstream['state'],
      iss: chain.adapterUrl,
    })
  })

  test('each process sets its own session cookie at the hop that signs in there', async ({
    page,
    chain,
    context,
  }) => {
    const hops = recordHops(page)
    await signIn(page, chain)
    const settingHops = async (cookie: string) => describeHops(await settersOf(cookie, hops), chain)
    expect((await settingHops('TEST_AUTH_SERVER_SESSION')).at(-1)).toBe(
      'GET upstream /oauth2/authorize/<uid> 302',
    )
    expect((await settingHops('AUTH_ADAPTER_SESSION')).at(-1)).toBe(
      'GET adapter /oauth2/authorize/<uid> 302',
    )
    // The app's lives on with each request.
    expect(await settingHops('TEST_APP_SESSION')).toEqual([
      `GET app ${CALLBACKS.app} 302`,
      'GET app /authenticated 200',
    ])
    const kept = await context.cookies()
    expect(kept.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'TEST_AUTH_SERVER_SESSION',
        'AUTH_ADAPTER_SESSION',
        'TEST_APP_SESSION',
      ]),
    )
    expect(kept.filter(({ httpOnly, sameSite }) => !httpOnly || sameSite !== 'Lax')).toEqual([])
    expect(
      kept
        .filter(({ name }) => name.includes('_LOGIN_'))
        .map(({ name }) => name.replace(/_LOGIN_.*/, '')),
    ).toEqual(['AUTH_ADAPTER'])
  })

  test('the page shows the person and the JWT that the adapter minted', async ({ page, chain }) => {
    await signIn(page, chain)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
    await expect(claim(page, 'sub')).toHaveText('testuser')
    await expect(claim(page, 'authorities')).toHaveText('ROLE_USER')
    const { header, claims } = await shownToken(page)
    expect(header).toEqual({ typ: 'at+jwt', alg: 'RS256', kid: expect.any(String) })
    const { acr: _acr, ...others } = claims
    expect(others).toEqual({
      amr: ['pwd'],
      auth_time: expect.any(Number),
      iss: chain.adapterUrl,
      aud: 'client',
      sub: 'testuser',
      client_id: 'client',
      scope: 'openid profile read',
      test_auth_server_sub: 'testuser',
      preferred_username: 'testuser',
      name: 'testuser',
      authorities: ['ROLE_USER'],
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.stringMatching(SECRET),
    })
  })

  test('a deep link is where one lands', async ({ page, chain }) => {
    const deepLink = `${chain.appUrl}/authenticated/reports/7?from=mail&lang=de%20AT`
    await page.goto(deepLink)
    await fillSignIn(page)
    await expect(page.locator('#asked')).toHaveText(
      '/authenticated/reports/7?from=mail&lang=de%20AT',
    )
    expect(page.url()).toBe(deepLink)
  })
})

test('a wrong password says so, keeps the user name, and the right one works', async ({
  page,
  chain,
}) => {
  await page.goto(`${chain.appUrl}/authenticated`)
  await fillSignIn(page, { username: 'ada', password: 'wrong' })
  await expect(page.getByRole('alert')).toHaveText('The user name or the password is wrong.')
  await expect(page.getByLabel('User name')).toHaveValue('ada')
  await expect(page.getByLabel('Password')).toHaveValue('')
  await expect(page.getByLabel('Password')).toBeFocused()
  await page.getByLabel('Password').fill('password')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, Ada Admin')
})

test('C39 a refusal at the upstream reaches the app as access_denied, with its state and a way on', async ({
  page,
  chain,
}) => {
  const hops = recordHops(page)
  await page.goto(`${chain.appUrl}/authenticated/deep`)
  await page.getByRole('button', { name: 'Cancel' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The sign-in was refused')
  await expect(page.locator('#oauth-error')).toHaveText('access_denied')
  const answer = queryOf(hops.at(-1))
  expect(answer).toMatchObject({
    error: 'access_denied',
    state: queryOf(hops[1])['state'],
    iss: chain.adapterUrl,
  })
  expect(hops.at(-1)?.status).toBe(403)
  await page.getByRole('link', { name: 'Try again' }).click()
  await fillSignIn(page)
  await page.waitForURL(`${chain.appUrl}/authenticated/deep`)
})

test.describe('signing out', () => {
  test.beforeEach(async ({ page, chain }) => {
    await signIn(page, chain)
    await page.getByRole('navigation').getByRole('link', { name: 'Sign out' }).click()
  })

  test('at the app only: the next visit signs in by itself, from the adapter’s session', async ({
    page,
    chain,
  }) => {
    await page.getByRole('button', { name: 'Sign out here' }).click()
    await expect(page.getByRole('status')).toContainText('You are signed out of this app.')
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
    const hops = recordHops(page)
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
    expect(describeHops(hops, chain)).toEqual([
      'GET app /authenticated 302',
      'GET adapter /oauth2/authorize 302',
      `GET app ${CALLBACKS.app} 302`,
      'GET app /authenticated 200',
    ])
  })

  // The adapter does not end the upstream's session: that is the upstream's to say.
  test('at the adapter: asked first; the next visit goes to the upstream, whose own session answers', async ({
    page,
    chain,
    context,
  }) => {
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Do you want to sign out?')
    await expect(page.getByText('Test app asks to sign you out.')).toBeVisible()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('status')).toContainText(
      'You are signed out of this app and of the adapter.',
    )
    expect((await context.cookies()).map(({ name }) => name)).not.toContain('AUTH_ADAPTER_SESSION')
    const hops = recordHops(page)
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
    expect(describeHops(hopsAt(hops, chain.upstreamUrl), chain)).toEqual([
      'GET upstream /oauth2/authorize 302',
    ])
  })

  test('at the adapter and at the upstream: the next visit asks for the password', async ({
    page,
    chain,
  }) => {
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('status')).toBeVisible()
    await page.goto(`${chain.upstreamUrl}/connect/logout`)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are signed out')
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByLabel('Password')).toBeVisible()
  })

  test('at the adapter, and then staying: the adapter still knows the person, the app does not', async ({
    page,
    chain,
  }) => {
    await page.getByRole('button', { name: 'Sign out everywhere' }).click()
    await page.getByRole('button', { name: 'Stay signed in' }).click()
    await page.waitForURL((url) => url.origin === chain.appUrl)
    await expect(page.getByText('Not signed in', { exact: true })).toBeVisible()
    const hops = recordHops(page)
    await page.goto(`${chain.appUrl}/authenticated`)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Hello, testuser')
    expect(hopsAt(hops, chain.upstreamUrl)).toEqual([])
  })
})

const PEOPLE = [
  {
    username: 'bobby',
    name: '<img src=x onerror=alert(1)> & "Bobby" \'Tables\'; --',
    authorities: 'ROLE_USER',
  },
  { username: 'zoë', name: 'Zoë Łukasiewicz-Ørsted 王小明', authorities: 'ROLE_USER' },
  { username: "o'brien", name: "Conan O'Brien", authorities: 'ROLE_USER' },
  { username: 'nora', name: 'Nora Norole', authorities: 'ROLE_USER' },
  { username: 'ada', name: 'Ada Admin', authorities: 'ROLE_ADMIN, ROLE_USER' },
  {
    username: 'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.the-third',
    name: `Hubert Blaine ${'Wolfeschlegelsteinhausenbergerdorff '.repeat(5)}III`,
    authorities: 'ROLE_USER, ROLE_ADMIN',
  },
]

for (const { username, name, authorities } of PEOPLE) {
  test(`${username} sees their name as it is, in the page and in the token`, async ({
    page,
    chain,
  }) => {
    const dialogs: string[] = []
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message())
      void dialog.dismiss()
    })
    await signIn(page, chain, { username })
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(`Hello, ${name}`)
    await expect(claim(page, 'name')).toHaveText(name)
    await expect(claim(page, 'authorities')).toHaveText(authorities)
    const { claims } = await shownToken(page)
    expect(claims).toMatchObject({ name, preferred_username: username })
    expect(await page.locator('main img').count()).toBe(0)
    expect(dialogs).toEqual([])
    await page.goto(chain.appUrl)
    await expect(
      page.getByRole('heading', { level: 2, name: `You are signed in as ${name}` }),
    ).toBeVisible()
  })
}

// The short paths of the upstream test server: one sign-in with the form there is good for both ways in, and one sign-out ends it.
import type { APIRequestContext, Page } from 'playwright/test'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { expectSignedIn, isFormShown, openApp } from './support/pages.ts'
import type { Chain } from './support/processes.ts'

const secret = { client_id: 'api-gateway', client_secret: 'gateway-secret' }
const redirectUri = ({ appUrl }: Chain) => `${appUrl}/callback`

function openAuthorize(page: Page, chain: Chain) {
  const { client_id } = secret
  const query = new URLSearchParams({ client_id, redirect_uri: redirectUri(chain), state: 'xyz' })
  return page.goto(`${chain.upstreamUrl}/authorize?${query.toString()}`)
}

/** What the browser takes to the callback; what is answered there does not count here. */
async function arrival(page: Page, chain: Chain): Promise<URLSearchParams> {
  const request = await page.waitForRequest((one) => one.url().startsWith(`${redirectUri(chain)}?`))
  return new URL(request.url()).searchParams
}

async function verdictOn(request: APIRequestContext, chain: Chain, token: string) {
  const data = { token, audience: secret.client_id }
  return (await request.post(`${chain.upstreamUrl}/verify`, { data })).json()
}

test('by /authorize, /login, /token and /verify; the chain needs no second form; /logout ends it', async ({
  page,
  chain,
  request,
}) => {
  const arriving = arrival(page, chain)
  await openAuthorize(page, chain)
  await fillSignIn(page)
  const arrived = await arriving
  expect(arrived.get('state')).toBe('xyz')
  const code = arrived.get('code') ?? ''
  const form = { ...secret, code, redirect_uri: redirectUri(chain) }
  const exchanged = await request.post(`${chain.upstreamUrl}/token`, { form })
  const { id_token: token } = (await exchanged.json()) as { id_token: string }
  expect(await verdictOn(request, chain, token)).toMatchObject({
    valid: true,
    claims: { sub: 'testuser', iss: chain.upstreamUrl },
  })

  await openApp(page, chain)
  await expectSignedIn(page)

  await page.goto(`${chain.upstreamUrl}/logout`)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('You are signed out')
  expect(await verdictOn(request, chain, token)).toMatchObject({ error: 'session_ended' })
  await openAuthorize(page, chain)
  await expect.poll(isFormShown(page)).toBe(true)
})

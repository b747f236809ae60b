// An upstream that answers by form_post, over https with a host name for each process: the form crosses sites, so that the
// adapter's SameSite=Lax cookies stay at home, and the login has to go on all the same.
import type { Request } from 'playwright/test'
import { expect, test } from './support/fixtures.ts'
import { hostOf } from './support/https.ts'
import { finishSignIn, openApp } from './support/pages.ts'
import { startChain } from './support/processes.ts'

test('F65 an upstream with response_mode=form_post signs people in', async ({
  playwright,
  launchOptions,
}) => {
  const config = { upstreams: { 'test-auth-server': { response_mode: 'form_post' } } }
  const chain = await startChain({ storage: 'sqlite', https: true, config })
  const args = [...(launchOptions.args ?? []), ...chain.browserArgs]
  const browser = await playwright.chromium.launch({ ...launchOptions, args })
  try {
    const page = await browser.newPage()
    const toAdapter: Request[] = []
    page.on('request', (request) => {
      if (hostOf(request.url()) === hostOf(chain.adapterUrl)) toAdapter.push(request)
    })
    await openApp(page, chain)
    await finishSignIn(page)
    const callback = `${chain.adapterUrl}/login/oauth2/code/test-auth-server`
    const [post, get] = toAdapter.filter((request) => request.url().startsWith(callback))
    expect([post?.method(), get?.method()]).toEqual(['POST', 'GET'])
    expect((await post?.allHeaders())?.['cookie']).toBeUndefined()
    expect((await get?.allHeaders())?.['cookie']).toContain('AUTH_ADAPTER_LOGIN_')
  } finally {
    await browser.close()
    await chain.stop()
  }
})

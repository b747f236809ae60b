// The store fails at one step of a logout, whichever: the person asks again, and then everything is over and the app knows it.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { createBreaker } from './test-support/breakable-driver.ts'
import type { Browser } from './test-support/browser.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'
const breaker = createBreaker()
let receiver: LogoutReceiver
const on = useChain(async () => {
  receiver = await startLogoutReceiver()
  return {
    wrapDriver: breaker.wrap,
    logLevel: 'error',
    config: {
      clients: {
        client: {
          backchannel_logout_uri: receiver.uri,
          scope: OFFLINE,
          refresh: { coupling: 'cached' },
        },
      },
    },
  }
})
afterAll(() => receiver.close())

async function login() {
  const browser = on.chain.newBrowser()
  const request = on.chain.app.request({ scope: OFFLINE })
  const { body } = await on.chain.app.finish(await on.chain.signIn(browser, request.url), request)
  return { browser, accessToken: body.access_token, refreshToken: String(body['refresh_token']) }
}

const refresh = (refreshToken: string) =>
  on.chain.app.redeem('', {
    redirectUri: undefined,
    form: { grant_type: 'refresh_token', code: undefined, refresh_token: refreshToken },
  })

const question = (browser: Browser) => browser.open(`${on.chain.url}/connect/logout`)

/** How many operations there were. */
async function signOutBrokenAt(operation: number, browser: Browser): Promise<number> {
  const page = await question(browser)
  breaker.breakAt(operation)
  const { status } = await browser.submit(page, { logout: 'yes' })
  // What goes on behind the answer counts too.
  await sleep(20)
  const operations = breaker.count()
  breaker.mend()
  if (status >= 400) await browser.submit(await question(browser), { logout: 'yes' })
  return operations
}

it('F73 a person signs out while the store fails at one step', async () => {
  const wrong: unknown[] = []
  for (let at = 1, isReached = true; isReached; at += 1) {
    const { browser, accessToken, refreshToken } = await login()
    receiver.tokens.length = 0
    isReached = (await signOutBrokenAt(at, browser)) >= at
    const statuses = [
      (await on.chain.app.userinfo(accessToken)).status,
      (await refresh(refreshToken)).status,
    ]
    await on.chain.adapter.logout.deliver.deliverDue()
    await receiver.received(1).catch(() => undefined)
    const told = receiver.tokens.length
    if (String(statuses) !== '401,400' || told === 0) wrong.push({ at, statuses, told })
  }
  expect(wrong).toEqual([])
}, 60_000)

// Device authorization and consent while the store is down: told so at each step, and nothing is lost when it comes back.
import { afterEach, expect, it } from 'vitest'
import { createBreaker } from './test-support/breakable-driver.ts'
import type { Browser, Visit } from './test-support/browser.ts'
import { createDevice, DEVICES } from './test-support/device.ts'
import { useChain } from './test-support/use-chain.ts'

const breaker = createBreaker()
const on = useChain({
  config: { clients: { ...DEVICES, 'second-client': { third_party: true } } },
  wrapDriver: (driver) => breaker.wrap(driver),
})
afterEach(() => breaker.mend())

async function whileDown<T>(work: () => Promise<T>): Promise<T> {
  breaker.break()
  return work().finally(() => breaker.mend())
}

const heading = ({ body }: Visit) => /<h1>([\s\S]*?)<\/h1>/.exec(body)?.[1]?.trim()
const DOWN = [503, 'We can not sign you in right now']
const refreshOf = ({ headers }: Visit) => headers.get('refresh')?.replace('0;url=', '') ?? ''

async function question(browser: Browser, userCode: string): Promise<Visit> {
  const page = await browser.open(new URL('/device', on.chain.url))
  return browser.submit(page, { user_code: userCode })
}

it('a device is told 503 and may go on; so is the person', async () => {
  const device = createDevice(on.chain.issuer)
  const refused = await whileDown(() => device.start())
  expect([refused.status, refused.body.error]).toEqual([503, 'temporarily_unavailable'])
  const { body: codes } = await device.start()
  const polled = await whileDown(() => device.poll(codes.device_code))
  expect([polled.status, polled.body['error']]).toEqual([503, 'temporarily_unavailable'])
  const browser = on.chain.newBrowser()
  const form = await browser.open(new URL('/device', on.chain.url))
  const typed = await whileDown(() => browser.submit(form, { user_code: codes.user_code }))
  expect([typed.status, heading(typed)]).toEqual(DOWN)
  const asked = await browser.submit(form, { user_code: codes.user_code })
  const pressed = await whileDown(() => browser.submit(asked, { confirm: 'yes' }))
  expect([pressed.status, heading(pressed)]).toEqual(DOWN)
  const start = refreshOf(
    await browser.submit(await question(browser, codes.user_code), { confirm: 'yes' }),
  )
  const done = await on.chain.signIn(browser, new URL(start, on.chain.url))
  expect(heading(done)).toBe('Your device is signed in')
  expect((await device.poll(codes.device_code)).status).toBe(200)
})

it('the consent page: 503, and the same button works afterwards', async () => {
  const browser = on.chain.newBrowser()
  const request = on.chain.secondApp.request()
  const page = await on.chain.signIn(browser, request.url)
  const shown = await whileDown(() => browser.open(page.url))
  expect([shown.status, heading(shown)]).toEqual(DOWN)
  const pressed = await whileDown(() => browser.submit(page, { decision: 'allow' }))
  expect([pressed.status, heading(pressed)]).toEqual(DOWN)
  const done = await browser.open(refreshOf(await browser.submit(page, { decision: 'allow' })))
  expect((await on.chain.secondApp.finish(done, request)).status).toBe(200)
})

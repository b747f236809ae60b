// What the device page refuses, and what it says when there is nothing to wait for. The way that succeeds is an end-to-end test.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createTestBrowser } from '../testing/browser.ts'
import { startOpenidProvider, type TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp, type RunningApp } from '../testing/running-app.ts'

let provider: TestOpenidProvider
let app: RunningApp

beforeAll(async () => {
  provider = await startOpenidProvider()
  app = await startTestApp(provider.issuer)
})
afterAll(async () => {
  await app.stop()
  await provider.stop()
})

const own = { 'sec-fetch-site': 'same-origin', accept: 'text/html' }

async function opened() {
  const browser = createTestBrowser()
  const { text } = await browser.open(`${app.url}/device`)
  const token = /name="form_token" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const press = (form: Record<string, string>, headers: Record<string, string> = own) =>
    browser.open(`${app.url}/device`, { form, headers })
  return { browser, token, press, text }
}

it('names the client that it plays', async () => {
  expect((await opened()).text).toContain('<code>device</code>')
})

it.each([
  ['of another site', { 'sec-fetch-site': 'cross-site' }, (token: string) => token],
  ['without its token', own, () => ''],
  ['with the token of another session', own, (token: string) => 'x'.repeat(token.length)],
])('a form %s switches nothing on', async (_name, headers, given) => {
  const { token, press } = await opened()
  expect((await press({ form_token: given(token) }, headers)).status).toBe(403)
})

it('an adapter without device authorization: said, and tried again by the same button', async () => {
  const { token, press } = await opened()
  const answer = await press({ form_token: token })
  expect(answer.status).toBe(503)
  expect(answer.text).toContain('The adapter gave no codes')
  expect(answer.text).toContain('Switch the device on')
})

it('a device that this process does not know leads back to the button', async () => {
  const { browser } = await opened()
  for (const run of ['nothing', '__proto__', 'x'.repeat(500)]) {
    const answer = await browser.open(`${app.url}/device/${run}`)
    expect([answer.status, answer.location]).toEqual([302, `${app.url}/device`])
  }
})

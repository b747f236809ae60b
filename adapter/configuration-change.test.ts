// What a restart with another configuration ends: an upstream or an app that was taken out counts no more.
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createApp, type TokenAnswer } from './test-support/app.ts'
import type { Browser } from './test-support/browser.ts'
import { startChain, UPSTREAM, type Chain } from './test-support/chain.ts'

let chain: Chain
let browser: Browser
let tokens: TokenAnswer['body']

beforeEach(async () => {
  chain = await startChain({ storage: 'sqlite', upstreams: { other: 'http://127.0.0.1:1' } })
  browser = chain.newBrowser()
  const request = chain.app.request()
  tokens = (await chain.app.finish(await chain.signIn(browser, request.url), request)).body
})
afterEach(() => chain.close())

const answerOf = async () =>
  (await browser.open(chain.app.request({ prompt: 'none' }).url)).url.searchParams

it('nothing changed: the session and its tokens go on', async () => {
  await chain.restart()
  expect((await chain.app.userinfo(tokens.access_token)).status).toBe(200)
  expect((await answerOf()).has('code')).toBe(true)
})

it.each([
  ['taken out', () => void delete chain.config.upstreams[UPSTREAM]],
  [
    'another of the same name',
    () =>
      void Object.assign(chain.config.upstreams[UPSTREAM] ?? {}, {
        issuer: 'https://another.test',
      }),
  ],
])(
  'A17 the upstream is %s: whom it signed in is signed in no more (CVE-2025-64717)',
  async (_name, change) => {
    change()
    chain.config.default_upstream = 'other'
    const pending = chain.app.request()
    const { searchParams } = (await browser.open(pending.url)).url
    await chain.restart()
    expect((await chain.app.userinfo(tokens.access_token)).status).toBe(401)
    expect((await answerOf()).get('error')).toBe('login_required')
    const late = await chain.app.redeem(searchParams.get('code') ?? '', {
      verifier: pending.verifier,
    })
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant'])
  },
)

it('A52 the app is taken out: its tokens are over at once', async () => {
  delete chain.config.clients['client']
  await chain.restart()
  const { app } = chain
  expect(
    (await createApp({ ...app, issuer: chain.issuer }).userinfo(tokens.access_token)).status,
  ).toBe(401)
})

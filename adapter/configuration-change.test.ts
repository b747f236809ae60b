// What a restart with another configuration ends: an upstream or an app that was taken out counts no more, and of one that
// changed its people are what `on_change` says.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { claimsOf, createApp, type TokenAnswer } from './test-support/app.ts'
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
const userinfoOf = async (token: string) => (await chain.app.userinfo(token)).status
const change = (settings: object) =>
  void Object.assign(chain.config.upstreams[UPSTREAM] ?? {}, settings)

it('nothing changed: the session and its tokens go on', async () => {
  await chain.restart()
  expect(await userinfoOf(tokens.access_token)).toBe(200)
  expect((await answerOf()).has('code')).toBe(true)
})

it.each([
  ['taken out', () => void delete chain.config.upstreams[UPSTREAM]],
  [
    'another of the same name, with on_change: revoke',
    () => change({ issuer: 'https://another.test', on_change: 'revoke' }),
  ],
])(
  'A17 the upstream is %s: whom it signed in is signed in no more (CVE-2025-64717)',
  async (_name, edit) => {
    edit()
    chain.config.default_upstream = 'other'
    const pending = chain.app.request()
    const { searchParams } = (await browser.open(pending.url)).url
    await chain.restart()
    expect(await userinfoOf(tokens.access_token)).toBe(401)
    expect((await answerOf()).get('error')).toBe('login_required')
    const late = await chain.app.redeem(searchParams.get('code') ?? '', {
      verifier: pending.verifier,
    })
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant'])
  },
)

describe('an upstream that changed', () => {
  it.each([
    ['another issuer', { issuer: 'https://another.test' }],
    ['another client there', { client_id: 'another-client' }],
    ['other claims', { claims: {} }],
    ['other requirements', { require: { email_domains: ['kite.example'] } }],
  ])('%s, on_change: keep: sessions and tokens live on', async (_name, settings) => {
    change({ ...settings, on_change: 'keep' })
    await chain.restart()
    expect(await userinfoOf(tokens.access_token)).toBe(200)
    expect((await answerOf()).has('code')).toBe(true)
  })

  it('what says nothing about people is no such change, even with on_change: revoke', async () => {
    const client_secret = 'test-secret'
    change({ on_change: 'revoke', timeout: 7, display_name: 'Another', client_secret, domains: [] })
    await chain.restart()
    expect(await userinfoOf(tokens.access_token)).toBe(200)
    expect((await answerOf()).has('code')).toBe(true)
  })

  it('relogin, the default: tokens live on, the next request goes to the upstream, which knows them', async () => {
    change({ claims: { renamed: 'sub' } })
    await chain.restart()
    expect(await userinfoOf(tokens.access_token)).toBe(200)
    expect((await answerOf()).get('error')).toBe('login_required')

    const request = chain.app.request()
    const visit = await browser.open(request.url)
    const upstream = visit.hops.filter(({ url }) => url.origin === chain.upstreamIssuer)
    expect(upstream.map(({ url }) => url.pathname)).toEqual(['/oauth2/authorize'])
    expect(upstream[0]?.url.searchParams.get('prompt')).toBeNull()
    const renewed = (await chain.app.finish(visit, request)).body
    expect(claimsOf(renewed.access_token)['renamed']).toBe('testuser')
    expect((await answerOf()).has('code')).toBe(true)
    expect(await userinfoOf(tokens.access_token)).toBe(200)
  })

  it('relogin as somebody else: another session, and what the one before had is over (A08)', async () => {
    const sid = browser.cookie('AUTH_ADAPTER_SESSION')?.value
    change({ subject: 'prefixed' })
    await chain.restart()
    const request = chain.app.request()
    const form = await browser.open(request.url)
    const visit = await browser.submit(form)
    const renewed = (await chain.app.finish(visit, request)).body
    expect(claimsOf(renewed.access_token)['sub']).toBe(`${UPSTREAM}:testuser`)
    expect(browser.cookie('AUTH_ADAPTER_SESSION')?.value).not.toBe(sid)
    expect(await userinfoOf(tokens.access_token)).toBe(401)
    expect(await userinfoOf(renewed.access_token)).toBe(200)
  })
})

it('A52 the app is taken out: its tokens are over at once', async () => {
  delete chain.config.clients['client']
  await chain.restart()
  const { app } = chain
  expect(
    (await createApp({ ...app, issuer: chain.issuer }).userinfo(tokens.access_token)).status,
  ).toBe(401)
})

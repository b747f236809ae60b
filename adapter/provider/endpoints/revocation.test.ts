// Revocation: a client ends its own tokens, one at a time, for everybody who asks.
import { describe, expect, it } from 'vitest'
import { claimsOf } from '../../test-support/app.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { CLIENT, forgeries, login, post, resigned, SECOND } from './test-support/token-calls.ts'

const PUBLIC = 'public-client'
const PUBLIC_URI = 'http://127.0.0.1:8099/callback'
const on = useChain({ config: { clients: { [PUBLIC]: { redirect_uris: [PUBLIC_URI] } } } })
const clock = useClock()
const revoke = (token: string, credentials: readonly [string, string] = CLIENT) =>
  post(on.chain, '/oauth2/revoke', { token }, credentials)
const isActive = async (token: string) =>
  (await post(on.chain, '/oauth2/introspect', { token })).body['active']
const userinfoStatus = async (token: string) => (await on.chain.app.userinfo(token)).status

describe('revocation of a JWT access token', () => {
  it('A52 userinfo and introspection refuse it at once; the other token of the grant lives', async () => {
    const browser = on.chain.newBrowser()
    const first = await login(on.chain, {}, browser)
    const request = on.chain.app.request()
    const again = await browser.open(request.url)
    const second = (await on.chain.app.finish(again, request)).body
    const { status, text } = await revoke(first.access_token)
    expect([status, text]).toEqual([200, ''])
    expect(await userinfoStatus(first.access_token)).toBe(401)
    expect(await isActive(first.access_token)).toBe(false)
    expect(await userinfoStatus(second.access_token)).toBe(200)
    expect(await isActive(second.access_token)).toBe(true)
  })

  it('A52 it stays revoked for as long as it is not expired, and twice is 200 again', async () => {
    const { access_token } = await login(on.chain)
    await revoke(access_token)
    expect((await revoke(access_token)).status).toBe(200)
    expect(await isActive(access_token)).toBe(false)
    clock.advance(295)
    expect(await isActive(access_token)).toBe(false)
  })

  it('A18 another client’s token: 200, and it lives on', async () => {
    const { access_token } = await login(on.chain)
    const { status, text } = await revoke(access_token, SECOND)
    expect([status, text]).toEqual([200, ''])
    expect(await isActive(access_token)).toBe(true)
  })

  it('what is no access token of ours: 200 without effect', async () => {
    const { access_token, id_token } = await login(on.chain)
    const expired = await resigned(on.chain, access_token, { exp: 1 })
    const tokens = [...forgeries(access_token).map(([, token]) => token), id_token, expired]
    for (const token of tokens) {
      const { status, text } = await revoke(token)
      expect([status, text]).toEqual([200, ''])
    }
    expect(await isActive(access_token)).toBe(true)
  })

  it('a wrong secret: 401, and it lives on', async () => {
    const { access_token } = await login(on.chain)
    const { status, body } = await revoke(access_token, ['client', 'wrong'])
    expect([status, body['error']]).toEqual([401, 'invalid_client'])
    expect(await isActive(access_token)).toBe(true)
  })

  it('a public client may, with its client_id', async () => {
    const browser = on.chain.newBrowser()
    const request = on.chain.app.request({
      client_id: PUBLIC,
      redirect_uri: PUBLIC_URI,
      scope: 'openid',
    })
    const { url } = await on.chain.signIn(browser, request.url)
    const redeemed = await post(
      on.chain,
      '/oauth2/token',
      {
        grant_type: 'authorization_code',
        code: url.searchParams.get('code') ?? '',
        redirect_uri: PUBLIC_URI,
        code_verifier: request.verifier,
        client_id: PUBLIC,
      },
      null,
    )
    const token = String(redeemed.body['access_token'])
    expect(claimsOf(token)['client_id']).toBe(PUBLIC)
    expect(await userinfoStatus(token)).toBe(200)
    const form = { token, client_id: PUBLIC }
    expect((await post(on.chain, '/oauth2/revoke', form, null)).status).toBe(200)
    expect(await userinfoStatus(token)).toBe(401)
  })
})

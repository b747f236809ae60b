// Against the real adapter and the real identity service.
import { decodeJwt } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { gatewaySettings } from '../../adapter/test-support/gateway-settings.ts'
import { useChain } from '../../adapter/test-support/use-chain.ts'
import { createTokenExchange } from './token-exchange.ts'
import type { TokenExchange } from './exchanged-tokens.ts'

const APP = 'http://127.0.0.1:8080'
const on = useChain({ config: gatewaySettings(APP) })

const exchangeAs = (change: Partial<Parameters<typeof createTokenExchange>[0]> = {}) =>
  createTokenExchange({
    issuer: on.chain.issuer,
    clientId: 'client',
    clientSecret: 'secret',
    now: Date.now,
    ...change,
  })

async function identityToken(name = 'single'): Promise<string> {
  const response = await fetch(`${on.chain.upstreamIssuer}/api/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `${name}@example.test`, password: 'password' }),
  })
  const { data } = (await response.json()) as { data: { auth: Record<string, string> } }
  return data.auth['accessToken'] ?? data.auth['accountAccessToken'] ?? ''
}

let tokens: TokenExchange
beforeAll(() => void (tokens = exchangeAs()))

describe('a token of the identity service', () => {
  it('is exchanged for an access token of the adapter for this app', async () => {
    const { token, expiresAt } = await tokens.exchange(await identityToken())
    const claims = decodeJwt(token)
    expect(claims).toMatchObject({
      iss: on.chain.issuer,
      sub: 'testuser',
      aud: 'client',
      client_id: 'client',
      preferred_username: 'testuser',
      scope: 'openid profile read',
    })
    expect(Math.abs(expiresAt - Number(claims.exp) * 1000)).toBeLessThan(2000)
    expect(expiresAt - Date.now()).toBeGreaterThan(290_000)
  })

  it('is exchanged for a token that is good for the refresh of this app alone, for seven days', async () => {
    const { token, expiresAt } = await tokens.exchange(await identityToken(), `${APP}/refresh`)
    const claims = decodeJwt(token)
    expect(claims).toMatchObject({ sub: 'testuser', aud: `${APP}/refresh`, scope: 'openid' })
    expect(Number(claims.exp) - Number(claims.iat)).toBe(7 * 86_400)
    expect(expiresAt - Date.now()).toBeGreaterThan(6.9 * 86_400_000)
    expect((await on.chain.app.userinfo(token)).status).toBe(401)
    expect(await tokens.isActive(token)).toBe(true)
  })

  it.each([
    ['of an account, which is for choosing a branch', () => identityToken('multi')],
    ['that was changed', async () => (await identityToken()).replace(/.$/, '')],
    ['that is none', async () => 'nothing'],
  ])('%s is refused, with what the adapter said', async (_name, bad) => {
    await expect(tokens.exchange(await bad())).rejects.toMatchObject({
      name: 'SignInError',
      code: 'sign_in_refused',
      oauth: { error: 'invalid_request' },
    })
  })

  it('A48 is not exchanged for the resource of another client', async () => {
    await expect(
      tokens.exchange(await identityToken(), 'urn:logging-backend'),
    ).rejects.toMatchObject({ code: 'sign_in_refused', oauth: { error: 'invalid_target' } })
  })

  it('is refused to a client without the policy', async () => {
    const other = exchangeAs({ clientId: 'second-client', clientSecret: 'second-secret' })
    await expect(other.exchange(await identityToken())).rejects.toMatchObject({
      code: 'sign_in_refused',
    })
  })
})

describe('what was exchanged', () => {
  it('A52 holds until it is revoked, each token by itself', async () => {
    const subject = await identityToken()
    const [access, refresh] = await Promise.all([
      tokens.exchange(subject),
      tokens.exchange(subject, `${APP}/refresh`),
    ])
    await tokens.revoke(refresh.token)
    expect(await tokens.isActive(refresh.token)).toBe(false)
    expect(await tokens.isActive(access.token)).toBe(true)
    await tokens.revoke(access.token)
    expect(await tokens.isActive(access.token)).toBe(false)
    await expect(tokens.revoke('nothing')).resolves.toBeUndefined()
    expect(await tokens.isActive('nothing')).toBe(false)
  })
})

describe('an adapter', () => {
  it('that does not know this app is told apart from one that refuses the token', async () => {
    const stranger = exchangeAs({ clientSecret: 'wrong' })
    for (const asked of [
      stranger.exchange(await identityToken()),
      stranger.isActive('x'),
      stranger.revoke('x'),
    ])
      await expect(asked).rejects.toMatchObject({ code: 'client_refused' })
  })

  it('that is not there is told as such', async () => {
    const lost = exchangeAs({ issuer: 'http://127.0.0.1:9' })
    for (const asked of [lost.exchange('x'), lost.isActive('x'), lost.revoke('x')])
      await expect(asked).rejects.toMatchObject({ code: 'adapter_unavailable' })
  })
})

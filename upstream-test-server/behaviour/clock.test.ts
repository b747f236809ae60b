import { describe, expect, it } from 'vitest'
import {
  authorizationRequest,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
} from '../test-support/test-browser.ts'
import { refreshWith, tokensOf, useControl, userinfoOf } from '../test-support/use-control.ts'

const on = useControl()
const systemSeconds = () => Date.now() / 1000
const hour = 3600

const timesOf = (token: string | undefined) => {
  const { iat, exp, auth_time: authTime } = claimsOf(token)
  return { iat: Number(iat), exp: Number(exp), authTime: Number(authTime) }
}

describe("an issuer's clock", () => {
  it.each([2 * hour, -2 * hour])('dates tokens %i seconds off', async (offset) => {
    expect((await on.control.setClock(offset)).offsetSeconds).toBe(offset)
    const { iat, exp, authTime } = timesOf((await tokensOf(on.server.issuer)).id_token)
    const shifted = systemSeconds() + offset
    for (const time of [iat, authTime]) expect(Math.abs(time - shifted)).toBeLessThan(10)
    expect(exp - iat).toBe(300)
  })

  it('advances by what it is told, from where it is', async () => {
    await on.control.advance(60)
    expect((await on.control.advance(30)).offsetSeconds).toBe(90)
    const { iat } = timesOf((await tokensOf(on.server.issuer)).id_token)
    expect(iat - systemSeconds()).toBeGreaterThan(80)
  })

  it('ends codes, tokens and sessions whose time is over, and none before', async () => {
    const browser = createTestBrowser(on.server.issuer)
    const { access_token: token } = await tokensOf(on.server.issuer, 'ada', {}, browser)
    const again = () => browser.open(authorizationRequest(on.server.issuer, { prompt: 'none' }).url)
    await on.control.advance(hour / 2)
    expect((await userinfoOf(on.server.issuer, token)).status).toBe(200)
    expect(codeOf(await again())).not.toBe('')
    await on.control.advance(hour)
    expect((await userinfoOf(on.server.issuer, token)).status).toBe(401)
    expect(codeOf(await again())).not.toBe('')
    await on.control.advance(12 * hour)
    expect((await again()).url.searchParams.get('error')).toBe('login_required')
  })

  it('ends a code after a minute', async () => {
    const browser = createTestBrowser(on.server.issuer)
    await tokensOf(on.server.issuer, 'ada', {}, browser)
    const request = authorizationRequest(on.server.issuer)
    const code = codeOf(await browser.open(request.url))
    await on.control.advance(61)
    expect((await redeem(on.server.issuer, code, request.verifier)).body.error).toBe(
      'invalid_grant',
    )
  })

  it('makes a sign-in older: max_age asks again, and auth_time stays where it was', async () => {
    const browser = createTestBrowser(on.server.issuer)
    const first = await tokensOf(on.server.issuer, 'ada', {}, browser)
    await on.control.advance(600)
    const second = await tokensOf(on.server.issuer, 'ada', { max_age: '1000' }, browser)
    expect(timesOf(second.id_token).authTime).toBe(timesOf(first.id_token).authTime)
    expect(timesOf(second.id_token).iat - timesOf(first.id_token).iat).toBeGreaterThanOrEqual(600)
    const silent = { max_age: '500', prompt: 'none' }
    const { url } = await browser.open(authorizationRequest(on.server.issuer, silent).url)
    expect(url.searchParams.get('error')).toBe('login_required')
  })

  it('ends a refresh token after fourteen days', async () => {
    const { refresh_token: token } = await tokensOf(on.server.issuer, 'ada', {
      scope: 'openid offline_access',
    })
    await on.control.advance(13 * 24 * hour)
    const renewed = await refreshWith(on.server.issuer, token)
    expect(renewed.status).toBe(200)
    await on.control.advance(2 * 24 * hour)
    const late = await refreshWith(on.server.issuer, renewed.body.refresh_token)
    expect(late.body.error).toBe('invalid_grant')
  })
})

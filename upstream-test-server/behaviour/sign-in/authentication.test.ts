import { describe, expect, it } from 'vitest'
import {
  authorizationRequest,
  claimsOf,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
} from '../../test-support/test-browser.ts'
import { tokensOf, useControl } from '../../test-support/use-control.ts'
import { passwordAcr, reachedBy, secondFactorAcr } from './authentication.ts'

const on = useControl()
const strong = { acr_values: secondFactorAcr }

async function contextOf(
  username: string,
  parameters = {},
  browser = createTestBrowser(on.server.issuer),
) {
  const { acr, amr, auth_time } = claimsOf(
    (await tokensOf(on.server.issuer, username, parameters, browser)).id_token,
  )
  return { acr, amr, auth_time }
}

describe(reachedBy, () => {
  it.each([
    ['', undefined, '1'],
    ['3 2', undefined, '3'],
    ['9 2', undefined, '2'],
    ['3 2', ['1', '2'], '2'],
    ['3', ['1'], '1'],
  ])('asked for %j, able to %j: %s', (asked, able, acr) => {
    expect(reachedBy(asked, ['1', '2', '3'], able).acr).toBe(acr)
  })
})

describe('what the ID token says of the authentication', () => {
  it('is a password unless more is asked for', async () => {
    expect(await contextOf('ada')).toMatchObject({ acr: passwordAcr, amr: ['pwd'] })
    const asked = await contextOf('ada', strong)
    expect(asked).toMatchObject({ acr: secondFactorAcr, amr: ['pwd', 'otp', 'mfa'] })
  })

  it('is what was done, not what was asked for, where the person goes without the second factor', async () => {
    const browser = createTestBrowser(on.server.issuer)
    const request = authorizationRequest(on.server.issuer, strong)
    const form = await browser.open(request.url)
    expect(form.body).toContain('Sign in without it')
    const credentials = { username: 'ada', password: 'password' }
    const page = await browser.submit(form, { ...credentials, without_second_factor: 'yes' })
    const { body } = await redeem(on.server.issuer, codeOf(page), request.verifier)
    expect(claimsOf(body.id_token)).toMatchObject({ acr: passwordAcr, amr: ['pwd'] })
  })

  it('asks again in a session that is too weak, and never somebody who can not do more', async () => {
    const browser = createTestBrowser(on.server.issuer)
    await tokensOf(on.server.issuer, 'ada', {}, browser)
    const open = (parameters = {}) =>
      browser.open(authorizationRequest(on.server.issuer, { ...strong, ...parameters }).url)
    expect((await open({ prompt: 'none' })).url.searchParams.get('error')).toBe('login_required')
    expect((await open()).body).toContain('Password')
    expect(await contextOf('ada', strong, browser)).toMatchObject({ acr: secondFactorAcr })
    expect(codeOf(await open({ prompt: 'none' }))).not.toBe('')
    await on.control.putPerson('pat', { acr: [passwordAcr] })
    const other = createTestBrowser(on.server.issuer)
    expect(await contextOf('pat', strong, other)).toMatchObject({ acr: passwordAcr })
    const silent = authorizationRequest(on.server.issuer, { ...strong, prompt: 'none' })
    expect(codeOf(await other.open(silent.url))).not.toBe('')
  })

  it('is weaker or absent when told so, for everybody or for one', async () => {
    await on.control.setAuthentication({ acr: 'weaker', amr: 'weaker', authTime: 'weaker' })
    const weak = await contextOf('ada', strong)
    expect(weak).toMatchObject({ acr: passwordAcr, amr: ['pwd'] })
    expect(Date.now() / 1000 - Number(weak.auth_time)).toBeGreaterThan(80_000)
    await on.control.setAuthentication({ acr: 'absent', amr: 'absent', authTime: 'absent' })
    const nothing = { acr: undefined, amr: undefined, auth_time: undefined }
    expect(await contextOf('ada', strong)).toEqual(nothing)
    await on.control.reset()
    await on.control.putPerson('pat', { says: { acr: 'absent' } })
    expect((await contextOf('pat', strong)).acr).toBeUndefined()
    expect((await contextOf('ada', strong)).acr).toBe(secondFactorAcr)
  })

  it.each([
    [{ acr: 'stronger' }, 'acr: expected one of as_asked, weaker, absent'],
    [{ levels: [] }, 'levels: expected a list of 1 to 5000 texts'],
    [{ auth_time: 'absent' }, 'auth_time: there is no such field'],
  ])('does not take %j', async (rules, message) => {
    await expect(on.control.setAuthentication(rules as object)).rejects.toThrow(message)
  })

  it('has the names of acr that it is told, and says them in discovery', async () => {
    await on.control.setAuthentication({ levels: ['silver', 'gold'] })
    expect((await contextOf('ada', { acr_values: 'gold silver' })).acr).toBe('gold')
    const metadata = await fetch(`${on.server.issuer}/.well-known/openid-configuration`, {
      headers: ownConnection,
    })
    expect(await metadata.json()).toMatchObject({ acr_values_supported: ['silver', 'gold'] })
  })
})

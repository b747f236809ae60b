import { describe, expect, it } from 'vitest'
import { authorizationRequest, claimsOf, createTestBrowser } from '../test-support/test-browser.ts'
import { refreshWith, tokensOf, useControl } from '../test-support/use-control.ts'
import type { RefreshValues } from './refresh.ts'

const on = useControl()
const offline = { scope: 'openid profile offline_access' }

const refresh = (token: string | undefined) => refreshWith(on.server.issuer, token)

/** Which of these uses work: the first token, what that gave, the first again, what came first again. */
async function uses(mode: RefreshValues['mode']) {
  await on.control.setRefresh({ mode })
  const { refresh_token: first } = await tokensOf(on.server.issuer, 'ada', offline)
  const one = await refresh(first)
  const two = await refresh(one.body.refresh_token)
  const again = await refresh(first)
  const after = await refresh(two.body.refresh_token)
  return {
    isRotated: one.body.refresh_token !== first,
    worked: [one, two, again, after].map(({ status }) => status === 200),
  }
}

describe('a refresh token', () => {
  it.each([
    ['static', false, [true, true, true, true]],
    ['rotating', true, [true, true, true, true]],
    ['one_time', true, [true, true, false, true]],
    ['reuse_revokes', true, [true, true, false, false]],
  ] as const)('in mode %s', async (mode, isRotated, worked) => {
    expect(await uses(mode)).toEqual({ isRotated, worked })
  })

  it('gives tokens of the same person, with the time of the sign-in', async () => {
    const before = await tokensOf(on.server.issuer, 'ada', offline)
    await on.control.advance(100)
    const { body } = await refresh(before.refresh_token)
    const [old, renewed] = [claimsOf(before.id_token), claimsOf(body.id_token)]
    expect(renewed).toMatchObject({ sub: old['sub'], auth_time: old['auth_time'], sid: old['sid'] })
    expect(Number(renewed['iat'])).toBeGreaterThanOrEqual(Number(old['iat']) + 100)
  })

  it('is issued where offline_access is asked for, also in a session without a page', async () => {
    const browser = createTestBrowser(on.server.issuer)
    expect((await tokensOf(on.server.issuer, 'ada', {}, browser)).refresh_token).toBeUndefined()
    const more = await tokensOf(on.server.issuer, 'ada', offline, browser)
    expect(more.refresh_token).toBeDefined()
    const silent = authorizationRequest(on.server.issuer, { ...offline, prompt: 'none' })
    expect((await browser.open(silent.url)).url.searchParams.get('code')).not.toBeNull()
  })

  it.each([
    ['always', [true, true, true]],
    ['never', [false, false, false]],
    ['once', [false, true, false]],
    ['when_asked', [false, true, true]],
  ] as const)('is issued %s', async (issued, expected) => {
    await on.control.setRefresh({ issued })
    const given = []
    for (const parameters of [{}, offline, offline])
      given.push((await tokensOf(on.server.issuer, 'nora', parameters)).refresh_token !== undefined)
    expect(given).toEqual(expected)
  })
})

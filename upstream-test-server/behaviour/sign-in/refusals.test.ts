import { describe, expect, it } from 'vitest'
import { authorizationRequest, codeOf, createTestBrowser } from '../../test-support/test-browser.ts'
import { refusedAt, tokensOf, useControl } from '../../test-support/use-control.ts'

const on = useControl()
const answerOf = (url: URL) => ({
  error: url.searchParams.get('error'),
  iss: url.searchParams.get('iss'),
})

describe('somebody who was told to be refused', () => {
  it.each(['access_denied', 'login_required', 'interaction_required', 'temporarily_unavailable'])(
    'at the sign-in goes back with %s, as often as told, without a session',
    async (error) => {
      await on.control.refuseNext('login', { error, times: 2 })
      for (let turn = 0; turn < 2; turn += 1)
        expect(answerOf(await refusedAt(on.server.issuer))).toEqual({
          error,
          iss: on.server.issuer,
        })
      expect((await tokensOf(on.server.issuer)).id_token).toBeDefined()
      expect((await on.control.sessions()).map(({ sub }) => sub)).toContain('testuser')
    },
  )

  it('at the consent is signed in and goes back with access_denied, also in a session', async () => {
    const browser = createTestBrowser(on.server.issuer)
    await tokensOf(on.server.issuer, 'ada', {}, browser)
    await on.control.refuseNext('consent')
    const silent = authorizationRequest(on.server.issuer, { prompt: 'none' })
    expect((await browser.open(silent.url)).url.searchParams.get('error')).toBe('access_denied')
    expect(codeOf(await browser.open(silent.url))).not.toBe('')
    await on.control.refuseNext('consent')
    expect(answerOf(await refusedAt(on.server.issuer)).error).toBe('access_denied')
  })

  it('is that person only, by login name', async () => {
    await on.control.refuseNext('login', { username: 'ada' })
    await on.control.refuseNext('consent', { username: 'nora', error: 'consent_required' })
    expect((await tokensOf(on.server.issuer, 'testuser')).id_token).toBeDefined()
    expect(answerOf(await refusedAt(on.server.issuer, 'ada')).error).toBe('access_denied')
    expect(answerOf(await refusedAt(on.server.issuer, 'nora')).error).toBe('consent_required')
  })

  it('is refused each time, where the person is described so', async () => {
    await on.control.putPerson('pat', { refused: 'temporarily_unavailable' })
    for (let turn = 0; turn < 3; turn += 1)
      expect(answerOf(await refusedAt(on.server.issuer, 'pat')).error).toBe(
        'temporarily_unavailable',
      )
  })
})

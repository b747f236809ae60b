import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from '../../start.ts'
import { startForTest } from '../../test-support/test-browser.ts'
import { bearer, cookieOf, logIn, post, send } from '../test-support/api.ts'

const lines: string[] = []
let server: RunningUpstreamTestServer
beforeAll(async () => {
  server = await startForTest({}, lines)
})
afterAll(() => server.close())

const ids = { 'x-request-id': 'request-0001', 'x-correlation-id': 'flow_2.0001' }

interface Line {
  event: string
  request_id?: string
  correlation_id?: string
  path?: string
}

const linesOf = (requestId: string) =>
  lines.map((line) => JSON.parse(line) as Line).filter((line) => line.request_id === requestId)

describe('request and correlation id', () => {
  it('are taken over from the gateway, answered, and in every line of the request with its path', async () => {
    const answer = await logIn(server.issuer, 'single', 'password', ids)
    expect(answer.headers.get('x-request-id')).toBe('request-0001')
    expect(answer.headers.get('x-correlation-id')).toBe('flow_2.0001')
    await expect
      .poll(() => linesOf('request-0001').map(({ event }) => event))
      .toEqual(['identity.login_succeeded', 'request.done'])
    for (const line of linesOf('request-0001'))
      expect(line).toMatchObject({ correlation_id: 'flow_2.0001', path: '/api/auth/login' })
  })

  it('are in the answer and the line of a refusal', async () => {
    const own = { ...ids, 'x-request-id': 'request-0002' }
    const answer = await logIn(server.issuer, 'single', 'wrong', own)
    expect(answer.body.request_id).toBe('request-0002')
    const events = linesOf('request-0002').map(({ event }) => event)
    expect(events.slice(0, 2)).toEqual(['identity.login_failed', 'identity.refused'])
  })

  it.each([
    'short',
    'x'.repeat(41),
    'with space here',
    '<script>alert</script>',
    '{"a":"b"}1234',
    'a;b;c;d;e',
  ])('are made where %j comes', async (bad) => {
    const headers = { 'x-request-id': bad, 'x-correlation-id': bad }
    const answer = await logIn(server.issuer, 'single', 'wrong-again', headers)
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w-]{16}$/)
    expect(answer.headers.get('x-correlation-id')).toBe(answer.headers.get('x-request-id'))
    await logIn(server.issuer, 'single')
  })
})

describe('the log', () => {
  it('A43 holds no password, token, cookie, e-mail address or body, whatever happens', async () => {
    const { issuer } = server
    const canary = 'canary-Passw0rd'
    await logIn(issuer, 'single', canary)
    await logIn(issuer, canary.toLowerCase(), canary)
    await post(issuer, 'login', `{"password":"${canary}`)
    await post(issuer, 'login', { email: canary, password: canary, [canary]: canary })
    await post(
      issuer,
      'login',
      { email: 'a@b', password: canary },
      { 'content-type': 'text/plain' },
    )
    await send(issuer, 'POST', `login?password=${canary}`, { body: {} })
    await post(issuer, 'refresh', { refreshToken: canary }, bearer(canary))
    await post(issuer, 'refresh', {}, { cookie: `TEST_AUTH_SERVER_REFRESH=${canary}` })
    const multi = await logIn(issuer, 'multi')
    const { accountAccessToken } = multi.body.data.auth
    const chosen = await post(
      issuer,
      'select-branch',
      { branchId: 'br-north' },
      bearer(accountAccessToken),
    )
    await post(issuer, 'select-branch', { branchId: canary }, bearer(accountAccessToken))
    const refreshed = await post(issuer, 'refresh', {}, cookieOf(chosen))
    await post(issuer, 'refresh', {}, cookieOf(chosen))
    await post(issuer, 'logout', {}, bearer(refreshed.body.data.auth.accessToken))
    const signatures = [multi, chosen, refreshed].flatMap(({ body: { data } }) => [
      data.auth.refreshToken,
      (data.auth.accessToken ?? data.auth.accountAccessToken).split('.')[2],
    ])
    await expect
      .poll(() => lines.filter((line) => line.includes('/api/auth/logout')))
      .not.toEqual([])
    const log = lines.join('')
    for (const secret of [
      canary,
      canary.toLowerCase(),
      '@example.test',
      '$argon2id',
      ...signatures,
    ])
      expect(log.includes(secret), `${secret.slice(0, 12)}…`).toBe(false)
    for (const event of ['branch_selected', 'refreshed', 'refresh_reused', 'login_failed'])
      expect(log).toContain(`identity.${event}`)
  })
})

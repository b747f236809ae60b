// Security events of the whole chain: who signed in, what was refused and why, who signed out and which app was told. The
// table names lines of the log; here they are really written.
import { globSync, readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { AUDIT_EVENTS } from './audit/audit-events.ts'
import type { AuditRow } from './audit/audit-fields.ts'
import type { AuditEntry } from './audit/audit.ts'
import { createPseudonym } from './audit/judge-field.ts'
import { readTrail } from './audit/trail.ts'
import type { ExplainAnswer } from './logout/session-routes.ts'
import { claimsOf } from './test-support/app.ts'
import { ADMIN_TOKEN, UPSTREAM } from './test-support/chain.ts'
import { startLogoutReceiver, type LogoutReceiver } from './test-support/logout-receiver.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const OFFLINE = 'openid profile read offline_access'
let receiver: LogoutReceiver
beforeAll(async () => void (receiver = await startLogoutReceiver()))
afterAll(() => receiver.close())
const on = useChain(async () => {
  receiver = await startLogoutReceiver()
  const refresh = { rotation: 'always', coupling: 'strict' }
  return {
    isAudited: true,
    logLevel: 'error',
    config: {
      upstreams: { [UPSTREAM]: { scope: 'openid profile offline_access' } },
      clients: {
        client: { backchannel_logout_uri: receiver.uri, scope: OFFLINE, refresh },
      },
    },
  }
})
const clock = useClock()
afterEach(() => on.chain.upstreamControl.reset())

async function login(username = 'testuser') {
  const request = on.chain.app.request({ scope: OFFLINE })
  const browser = on.chain.newBrowser()
  const visit = await on.chain.signIn(browser, request.url, username)
  const { body } = await on.chain.app.finish(visit, request)
  return { browser, visit, request, ...body, refresh_token: body['refresh_token'] }
}

const refresh = (token: unknown) =>
  on.chain.app.redeem('', {
    redirectUri: undefined,
    form: { grant_type: 'refresh_token', code: undefined, refresh_token: String(token) },
  })

const named = (name: keyof typeof AUDIT_EVENTS) =>
  on.chain.auditEntries().filter(({ event }) => event === name)
const last = (name: keyof typeof AUDIT_EVENTS) => named(name).at(-1) as AuditEntry
const pseudonym = () => createPseudonym(() => on.chain.secrets.subjectKey)

it('every line of the log that the table names is written somewhere', () => {
  const source = globSync('adapter/**/*.ts', { exclude: (path) => path.includes('.test.') })
    .filter((file) => !file.includes('/audit/'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
  for (const { from } of Object.values<AuditRow>(AUDIT_EVENTS))
    for (const { event } of from) expect(source.includes(`'${event}'`), event).toBe(true)
})

it('a sign-in: upstream, app, person by hash, request and flow; whatever the level of the log', async () => {
  await login()
  expect(last('login.succeeded')).toMatchObject({
    version: 1,
    upstream: UPSTREAM,
    client_id: 'client',
    person: pseudonym()('testuser'),
    flow_id: expect.any(String) as string,
    request_id: expect.any(String) as string,
  })
  expect(last('token.issued')).toMatchObject({
    client_id: 'client',
    grant_type: 'authorization_code',
  })
  expect(on.chain.events('login.finished')).toEqual([])
})

it('F09 an ID token that expired: refused, with the reason', async () => {
  await on.chain.upstreamControl.corruptNext({ kind: 'expired' })
  const { url } = on.chain.app.request()
  await on.chain.signIn(on.chain.newBrowser(), url)
  expect(last('login.failed')).toMatchObject({
    upstream: UPSTREAM,
    client_id: 'client',
    code: 'identity_invalid',
    reason: expect.stringMatching(/^ID token exp: .* past/) as string,
  })
})

it.each(['token', 'introspect', 'revoke', 'par'])(
  'an app that does not prove itself, at /oauth2/%s',
  async (endpoint) => {
    const before = named('client.auth_failed').length
    const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'x', token: 'y' })
    const headers = { authorization: `Basic ${Buffer.from('client:wrong').toString('base64')}` }
    await fetch(`${on.chain.url}/oauth2/${endpoint}`, { method: 'POST', body, headers })
    expect(last('client.auth_failed')).toMatchObject({ oauth_error: 'invalid_client' })
    expect(named('client.auth_failed').length).toBe(before + 1)
  },
)

it('A21 a refresh token and a code that come again', async () => {
  const { refresh_token } = await login()
  await refresh(refresh_token)
  clock.advance(90)
  await refresh(refresh_token)
  expect(last('token.reused')).toMatchObject({
    client_id: 'client',
    reason: 'refresh token already used',
  })
  const before = named('token.reused').length
  const { visit, request } = await login()
  await on.chain.app.finish(visit, request)
  expect(named('token.reused').length).toBe(before + 1)
})

it('a token that its app revokes, in every format', async () => {
  const { access_token, refresh_token } = await login()
  for (const token of [access_token, refresh_token]) {
    const before = named('token.revoked').length
    const headers = { authorization: `Basic ${Buffer.from('client:secret').toString('base64')}` }
    const body = new URLSearchParams({ token: String(token) })
    await fetch(`${on.chain.url}/oauth2/revoke`, { method: 'POST', body, headers })
    expect(named('token.revoked').length).toBe(before + 1)
  }
})

it('F73 a logout: why, who, which app is told; one that fails, and one that takes it', async () => {
  const { browser, id_token } = await login()
  receiver.answer = 500
  await browser.submit(await browser.open(`${on.chain.url}/connect/logout`), { logout: 'yes' })
  await expect.poll(() => named('logout.not_delivered').length).toBe(1)
  const sessions = [pseudonym()(String(claimsOf(id_token)['sid']))]
  expect(last('session.ended')).toMatchObject({
    cause: 'person',
    person: pseudonym()('testuser'),
    told: 1,
    untold: 0,
    sessions,
  })
  const tried = { client_id: 'client', attempt: 1, sessions }
  expect(last('logout.not_delivered')).toMatchObject({
    ...tried,
    reason: 'answered 500',
    gives_up: false,
  })
  receiver.answer = 200
  clock.advance(10)
  await on.chain.adapter.logout.deliver.deliverDue()
  expect(last('logout.delivered')).toMatchObject({ ...tried, attempt: 2 })
  const sid = String(claimsOf(id_token)['sid'])
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` }
  const explained = async () => {
    const url = `${on.chain.adminUrl}/api/logout/explain?sid=${sid}`
    return (await (await fetch(url, { headers })).json()) as ExplainAnswer
  }
  await expect.poll(async () => (await explained()).history.length, { timeout: 5000 }).toBe(3)
  expect(await explained()).toMatchObject({
    cause: 'person',
    apps: [{ client_id: 'client', state: 'told', attempts: 2 }],
    history: [
      { event: 'session.ended' },
      { event: 'logout.not_delivered', client_id: 'client', attempt: 1, reason: 'answered 500' },
      { event: 'logout.delivered', client_id: 'client', attempt: 2 },
    ],
  })
})

it('what the upstream says: a logout that holds, one that does not, and a refresh that is over', async () => {
  const to = `${on.chain.url}/logout/backchannel/${UPSTREAM}`
  await login()
  await on.chain.upstreamControl.sendLogoutToken({ to, sub: 'testuser' })
  expect(last('logout.upstream_accepted')).toMatchObject({ upstream: UPSTREAM, way: 'server' })
  expect(last('session.ended')).toMatchObject({ cause: 'upstream' })
  await fetch(to, { method: 'POST', body: new URLSearchParams({ logout_token: 'nonsense' }) })
  expect(last('logout.upstream_refused')['reason']).toEqual(expect.any(String))
  const { refresh_token } = await login('ada')
  await on.chain.upstreamControl.disablePerson('ada')
  expect((await refresh(refresh_token)).status).toBe(400)
  expect(last('session.ended_by_upstream')).toMatchObject({
    client_id: 'client',
    upstream: UPSTREAM,
    person: pseudonym()('user-0002'),
  })
})

it('an operator who ends sessions', async () => {
  await login()
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ user: 'testuser' })
  await fetch(`${on.chain.adminUrl}/api/sessions/revoke`, { method: 'POST', headers, body })
  expect(last('session.ended')).toMatchObject({
    cause: 'operator',
    person: pseudonym()('testuser'),
  })
  expect(last('sessions.revoked')).toMatchObject({ cause: 'operator', told: 1 })
})

it('who asks the admin API without its token', async () => {
  await fetch(`${on.chain.adminUrl}/api/sessions`)
  expect(last('admin.refused')).toMatchObject({ reason: 'no token' })
})

it('the trail in the store has them too, and nothing has a name of a person in it', async () => {
  await login()
  const { id } = last('login.succeeded')
  const range = { since: Date.now() - 60_000, until: Date.now() + 60_000 }
  await expect
    .poll(async () => (await readTrail(on.chain.driver, range)).map((entry) => entry.id), {
      timeout: 5000,
    })
    .toContain(id)
  expect(JSON.stringify(on.chain.auditEntries())).not.toMatch(/testuser|user-0002|"ada"|Ada/)
})

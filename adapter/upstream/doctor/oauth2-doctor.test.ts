import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { startEvilIdp } from '../test-support/evil-idp.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import { UPSTREAM_NAME, upstreamConfig } from '../test-support/login.ts'
import type { Finding } from './finding.ts'
import { runDoctor } from './run-doctor.ts'

const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
const fixture = useEvilIdp()

async function findings(
  changes: Record<string, unknown> = {},
  issuer = fixture.idp.issuer,
): Promise<Finding[]> {
  const endpoints = {
    authorization: `${issuer}/authorize`,
    token: `${issuer}/token`,
    userinfo: `${issuer}/userinfo`,
  }
  const settings = { kind: 'oauth2', endpoints, scope: 'read:user', ...changes }
  const report = await runDoctor({
    upstream: UPSTREAM_NAME,
    config: upstreamConfig(issuer, settings),
    callbackUrl: CALLBACK,
    now: Date.now,
  })
  return report.findings
}

const verdicts = (all: Finding[]) =>
  Object.fromEntries(all.map(({ check, verdict }) => [check, verdict]))

const WELL = {
  certificate: 'skipped',
  userinfo: 'pass',
  client: 'pass',
  'redirect-uri': 'pass',
  'authorization-request': 'pass',
  subject: 'pass',
  callback: 'pass',
}

type Route = (response: ServerResponse) => unknown
const routes = (answers: Record<string, Route>) => {
  const byHand = Object.entries(answers).map(([path, answer]) => [
    path,
    (_request: unknown, response: ServerResponse) => void answer(response),
  ])
  fixture.idp.behaviour = { answer: Object.fromEntries(byHand) }
}
const refusing: Route = (response) => response.writeHead(401).end()

describe('the doctor at a plain OAuth 2.0 upstream', () => {
  it('finds it well, and asks for no metadata', async () => {
    routes({ '/userinfo': refusing })
    const all = await findings()
    expect(verdicts(all)).toEqual(WELL)
    expect(all.find(({ check }) => check === 'subject')?.sentence).toContain('`id`')
    expect(fixture.idp.requests.map(({ line }) => line)).toEqual([
      'GET /userinfo',
      'POST /token',
      'GET /authorize',
    ])
  })

  it('knows the word of GitHub for a made-up code, sent with 200', async () => {
    const said = JSON.stringify({ error: 'bad_verification_code' })
    routes({
      '/userinfo': refusing,
      '/token': (response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(said),
    })
    expect(verdicts(await findings())).toEqual(WELL)
  })

  it('names a secret that is wrong', async () => {
    routes({ '/userinfo': refusing })
    expect(verdicts(await findings({ client_secret: 'another' }))).toEqual({
      ...WELL,
      client: 'fail',
    })
  })

  it('names a scope that is refused, and a redirect URI that is not registered', async () => {
    const location = `${CALLBACK}?error=invalid_scope`
    routes({
      '/userinfo': refusing,
      '/authorize': (response) => response.writeHead(302, { location }).end(),
    })
    expect(verdicts(await findings())).toEqual({ ...WELL, 'authorization-request': 'fail' })
    routes({ '/userinfo': refusing, '/authorize': (response) => response.writeHead(400).end() })
    expect(verdicts(await findings())).toMatchObject({ 'redirect-uri': 'fail' })
  })

  it('names an endpoint that is not there, and one that asks for no token', async () => {
    const absent: Route = (response) => response.writeHead(404).end()
    routes({ '/userinfo': absent })
    expect(verdicts(await findings())).toEqual({ ...WELL, userinfo: 'fail' })
    fixture.idp.behaviour = {}
    expect(verdicts(await findings())).toEqual({ ...WELL, userinfo: 'warn' })
  })

  it('says that nothing answers', async () => {
    const closed = await startEvilIdp()
    await closed.close()
    expect(verdicts(await findings({}, closed.issuer))).toMatchObject({
      userinfo: 'fail',
      client: 'fail',
      'redirect-uri': 'warn',
    })
  })
})

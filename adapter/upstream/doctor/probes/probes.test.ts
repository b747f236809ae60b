import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { useEvilIdp } from '../../test-support/fixture.ts'
import { CLIENT_SECRET } from '../../test-support/evil-idp.ts'
import { UPSTREAM_NAME, upstreamConfig } from '../../test-support/login.ts'
import type { Finding } from '../finding.ts'
import { reportAsJson } from '../format-report.ts'
import { runDoctor } from '../run-doctor.ts'

const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
const fixture = useEvilIdp()

async function examined(
  config: Record<string, unknown> = {},
  issuer = fixture.idp.issuer,
): Promise<{ findings: Finding[]; json: string }> {
  const report = await runDoctor({
    upstream: UPSTREAM_NAME,
    config: upstreamConfig(issuer, config),
    callbackUrl: CALLBACK,
    now: Date.now,
  })
  return { findings: report.findings, json: reportAsJson(report) }
}

async function finding(check: string, config: Record<string, unknown> = {}): Promise<Finding> {
  const { findings } = await examined(config)
  return findings.find((each) => each.check === check) as Finding
}

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

const answering = (path: string, answer: Answer) => {
  fixture.idp.behaviour = {
    answer: {
      [path]: (request, response) => {
        answer(request, response)
      },
    },
  }
}

const json = (status: number, body: unknown): Answer => {
  const headers = { 'content-type': 'application/json' }
  return (_request, response) => response.writeHead(status, headers).end(JSON.stringify(body))
}

const backWith =
  (parameters: string): Answer =>
  (_request, response) =>
    response.writeHead(302, { location: `${CALLBACK}?${parameters}` }).end()

describe('the client probe', () => {
  it('knows from invalid_grant that the client is accepted, with one request', async () => {
    expect(await finding('client')).toMatchObject({ verdict: 'pass', isProbe: true })
    expect(fixture.idp.count('POST /token')).toBe(1)
  })

  it('wrong secret: names both that are to be checked, and shows neither secret', async () => {
    const { findings, json: text } = await examined({ client_secret: 'canary-of-ours' })
    expect(findings.find(({ check }) => check === 'client')).toMatchObject({
      verdict: 'fail',
      sentence:
        'Expected the client "test-client" to be accepted by client_secret_basic, found that it is refused (invalid_client), and by client_secret_post too.',
      fix: expect.stringContaining('client_secret'),
      snippet: expect.stringContaining('client_secret: ${TEST_AUTH_SERVER_SECRET}'),
    })
    expect(text).not.toContain('canary-of-ours')
  })

  it('wrong method: says which one is accepted', async () => {
    expect(await finding('client', { client_auth_method: 'client_secret_post' })).toMatchObject({
      verdict: 'fail',
      sentence: expect.stringContaining('client_secret_basic is accepted'),
      snippet: `upstreams:\n  ${UPSTREAM_NAME}:\n    client_auth_method: client_secret_basic`,
    })
  })

  it('a public client that is refused is told to send a secret, and tried once', async () => {
    const config = { client_auth_method: 'none', client_secret: undefined }
    expect(await finding('client', config)).toMatchObject({
      verdict: 'fail',
      fix: expect.stringContaining('if the client has a secret there'),
    })
    expect(fixture.idp.count('POST /token')).toBe(1)
  })

  it.each<[string, Answer, string, RegExp]>([
    [
      '401',
      (_, response) => response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
      'fail',
      /refused/,
    ],
    [
      'unauthorized_client',
      json(400, { error: 'unauthorized_client' }),
      'fail',
      /found unauthorized_client/,
    ],
    ['another error', json(400, { error: 'bad_day' }), 'warn', /it does not tell/],
    ['tokens', json(200, { access_token: 'a', token_type: 'Bearer' }), 'fail', /gave tokens/],
    ['503', (_, response) => response.writeHead(503).end(), 'fail', /answered 503/],
    [
      'a page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      'fail',
      /no usable answer/,
    ],
  ])('judges an answer of %s', async (_, answer, verdict, sentence) => {
    answering('/token', answer)
    expect(await finding('client')).toMatchObject({
      verdict,
      sentence: expect.stringMatching(sentence),
    })
  })

  it('A43 repeats nothing that the provider sends back of our secret', async () => {
    for (const error of [CLIENT_SECRET, `invalid_client ${CLIENT_SECRET}`]) {
      answering('/token', json(400, { error, error_description: CLIENT_SECRET }))
      expect((await examined()).json).not.toContain(CLIENT_SECRET)
    }
  })

  it('sends nothing where the issuer is not the one', async () => {
    const { findings } = await examined({}, `${fixture.idp.issuer}/`)
    const probes = findings.filter(({ isProbe }) => isProbe)
    expect(probes.map(({ verdict }) => verdict)).toEqual(['skipped', 'skipped', 'skipped'])
    expect(fixture.idp.requests.map(({ line }) => line)).toEqual([
      'GET /.well-known/openid-configuration',
      'GET /jwks',
    ])
  })
})

describe('the redirect URI probe', () => {
  it('asks once, without a cookie, with prompt=none and our callback', async () => {
    const asked: URLSearchParams[] = []
    answering('/authorize', (request, response) => {
      asked.push(new URL(request.url ?? '', fixture.idp.issuer).searchParams)
      expect(request.headers.cookie).toBeUndefined()
      backWith('error=login_required')(request, response)
    })
    const { findings } = await examined()
    expect(findings.filter(({ isProbe }) => isProbe).map(({ verdict }) => verdict)).toEqual([
      'pass',
      'pass',
      'pass',
    ])
    expect(asked).toHaveLength(1)
    expect(Object.fromEntries(asked[0] as URLSearchParams)).toMatchObject({
      prompt: 'none',
      redirect_uri: CALLBACK,
      scope: 'openid profile',
      code_challenge_method: 'S256',
    })
  })

  it('understands an answer by form_post', async () => {
    const form = `<form method="post" action="${CALLBACK}"><input type="hidden" name="error" value="login_required"/></form>`
    answering('/authorize', (_, response) => response.writeHead(200).end(form))
    expect(await finding('redirect-uri')).toMatchObject({ verdict: 'pass' })
    expect(await finding('authorization-request')).toMatchObject({
      sentence: expect.stringContaining('login_required'),
    })
  })

  it.each<[string, Answer, string, RegExp]>([
    ['400', (_, response) => response.writeHead(400).end('no'), 'fail', /error page .*status 400/],
    [
      'a page that names it',
      (_, response) => response.writeHead(200).end('AADSTS50011: ...'),
      'fail',
      /error page/,
    ],
    [
      'a login page',
      (_, response) => response.writeHead(200).end('<form>'),
      'warn',
      /a page \(status 200\): it does not tell/,
    ],
    [
      'another address',
      (_, response) => response.writeHead(302, { location: '/login?secret=x' }).end(),
      'warn',
      /the address "http:[^?]*\/login": it does not tell/,
    ],
    [
      'our callback with more path',
      (_, response) =>
        response.writeHead(302, { location: `${CALLBACK}x?error=login_required` }).end(),
      'warn',
      /does not tell/,
    ],
    [
      'a broken connection',
      (_, response) => response.destroy(),
      'warn',
      /none from here \(ECONNRESET\)/,
    ],
  ])('judges %s', async (_, answer, verdict, sentence) => {
    answering('/authorize', answer)
    expect(await finding('redirect-uri')).toMatchObject({
      verdict,
      sentence: expect.stringMatching(sentence),
      fix: expect.any(String),
    })
    expect(await finding('authorization-request')).toMatchObject({ verdict: 'skipped' })
  })

  it('scope refused: names the scopes, and passes the redirect URI', async () => {
    answering('/authorize', backWith('error=invalid_scope&state=x'))
    const { findings } = await examined({ scope: 'openid groups' })
    expect(findings.filter(({ verdict }) => verdict === 'fail')).toMatchObject([
      {
        check: 'authorization-request',
        sentence:
          'Expected login_required for a request with the scopes "openid groups", found "invalid_scope".',
        fix: expect.stringContaining('Leave out the scope'),
      },
    ])
  })

  it.each([
    ['unauthorized_client', 'fail'],
    ['server_error', 'warn'],
  ])('judges %s sent to our callback', async (error, verdict) => {
    answering('/authorize', backWith(`error=${error}`))
    expect(await finding('redirect-uri')).toMatchObject({ verdict: 'pass' })
    expect(await finding('authorization-request')).toMatchObject({ verdict })
  })
})

describe('settings of the upstream', () => {
  it('are looked at where they say other URLs than its metadata', async () => {
    const asked: string[] = []
    const inside = createServer((request, response) => {
      asked.push(String(request.url))
      json(400, { error: 'invalid_grant' })(request, response)
    })
    await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
    const { port } = inside.address() as { port: number }
    const token = `http://127.0.0.1:${port}/inside`
    expect(await finding('client', { endpoints: { token } })).toMatchObject({ verdict: 'pass' })
    expect(asked).toEqual(['/inside'])
    expect(fixture.idp.count('POST /token')).toBe(0)
    await new Promise((resolve) => inside.close(resolve))
  })
})

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeKey } from '../test-support/evil-idp.ts'
import { UPSTREAM_NAME, upstreamConfig } from '../test-support/login.ts'
import type { Finding } from './finding.ts'
import { runDoctor } from './run-doctor.ts'

const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
const DAY_MS = 86_400_000
const DAYS = 100

let folder: string
let server: Server
let port: number
const path = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-tls-'))
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', `${DAYS}`]
  const names = ['-subj', '/CN=throw-away', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', path('one.key'), '-out', path('one.pem')]
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...key, ...names, ...files])
  if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`)
  const { jwk } = await makeKey('key-1')
  const tls = { cert: readFileSync(path('one.pem')), key: readFileSync(path('one.key')) }
  server = createServer(tls, (request, response) => {
    const issuer = `https://127.0.0.1:${port}`
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        id_token_signing_alg_values_supported: ['RS256'],
      },
      '/jwks': { keys: [jwk] },
      '/token': { error: 'invalid_grant' },
    }
    const document = documents[String(request.url)]
    const location = `${CALLBACK}?error=login_required`
    if (!document) return void response.writeHead(303, { location }).end()
    response.writeHead(request.url === '/token' ? 400 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  rmSync(folder, { recursive: true })
})

async function findings(
  changes: Record<string, unknown> = {},
  { host = '127.0.0.1', daysAhead = 0 } = {},
): Promise<Finding[]> {
  const report = await runDoctor({
    upstream: UPSTREAM_NAME,
    config: upstreamConfig(`https://${host}:${port}`, changes),
    callbackUrl: CALLBACK,
    now: () => Date.now() + daysAhead * DAY_MS,
  })
  return report.findings
}

const found = (all: Finding[], check: string) => all.find((each) => each.check === check)
const failed = (all: Finding[]) =>
  all.filter(({ verdict }) => verdict === 'fail').map(({ check }) => check)

describe('a provider with TLS', () => {
  it('is well where its authority is trusted, probes and all', async () => {
    const all = await findings({ ca_file: path('one.pem') })
    expect(failed(all)).toEqual([])
    expect(found(all, 'certificate')?.sentence).toMatch(/is valid until \d{4}-\d\d-\d\d\.$/)
    expect(all.filter(({ isProbe }) => isProbe).map(({ verdict }) => verdict)).toEqual([
      'pass',
      'pass',
      'pass',
    ])
  })

  it('is refused where it is not, and `ca_file` is named', async () => {
    const all = await findings()
    expect(failed(all)).toEqual(['discovery'])
    expect(found(all, 'discovery')).toMatchObject({
      sentence: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      fix: expect.stringContaining('`ca_file`'),
    })
  })

  it('is refused under a name that its certificate does not have', async () => {
    const all = await findings({ ca_file: path('one.pem') }, { host: 'localhost' })
    expect(found(all, 'discovery')).toMatchObject({
      sentence: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID'),
      fix: expect.stringContaining('host name that stands in its certificate'),
    })
  })

  it.each([
    [DAYS - 22, 'pass', /valid until/],
    [DAYS - 10, 'warn', /ends in \d+ days/],
    [DAYS + 2, 'fail', /ended on/],
  ] as const)('%i days from now its certificate gives %s', async (daysAhead, verdict, sentence) => {
    const all = await findings({ ca_file: path('one.pem') }, { daysAhead })
    expect(found(all, 'certificate')).toMatchObject({
      verdict,
      sentence: expect.stringMatching(sentence),
    })
  })
})

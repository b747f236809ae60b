import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { makeKey } from '../test-support/evil-idp.ts'
import { UPSTREAM_NAME, upstreamConfig } from '../test-support/login.ts'
import { startProxy, throwAwayCertificate } from '../test-support/proxy.ts'
import type { Proxy } from '../test-support/proxy.ts'
import { runDoctor } from './run-doctor.ts'

const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
const { cert, key } = throwAwayCertificate()

let folder: string
let server: Server
let issuer: string
let proxy: Proxy

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-proxy-'))
  writeFileSync(join(folder, 'ca.pem'), cert)
  const { jwk } = await makeKey('key-1')
  server = createServer({ cert, key }, (request, response) => {
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
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
  issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})
beforeEach(async () => {
  proxy = await startProxy()
})
afterEach(() => proxy.close())

async function examine() {
  const changes = {
    ca_file: join(folder, 'ca.pem'),
    proxy: `http://someone:pass-4711@${proxy.host}`,
  }
  const config = upstreamConfig(issuer, changes)
  const report = await runDoctor({
    upstream: UPSTREAM_NAME,
    config,
    callbackUrl: CALLBACK,
    now: Date.now,
  })
  expect(JSON.stringify(report)).not.toMatch(/someone|pass-4711/)
  return Object.fromEntries(report.findings.map((finding) => [finding.check, finding]))
}

describe('the doctor behind a proxy', () => {
  it('goes the way that sign-ins go, the probe of the authorization endpoint too', async () => {
    const findings = await examine()
    expect(findings['discovery']).toMatchObject({ verdict: 'pass' })
    expect(findings['redirect-uri']).toMatchObject({ verdict: 'pass' })
    expect(findings['certificate']?.sentence).toMatch(/behind a proxy/)
    const { host } = new URL(issuer)
    expect(new Set(proxy.asked.map(({ target }) => target))).toEqual(new Set([host]))
  })

  it('names the proxy that is not there, and the setting', async () => {
    await proxy.close()
    const { discovery } = await examine()
    expect(discovery).toMatchObject({ verdict: 'fail' })
    expect(discovery?.sentence).toContain(
      `the proxy ${proxy.host} can not be reached: ECONNREFUSED`,
    )
    expect(discovery?.fix).toContain('`proxy`')
  })
})

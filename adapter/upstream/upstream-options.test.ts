import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import { refusal } from './test-support/expect-upstream-error.ts'
import { useEvilIdp } from './test-support/fixture.ts'
import { recordingLog, upstreamConfig } from './test-support/login.ts'
import { createUpstreams } from './upstreams.ts'

const fixture = useEvilIdp()

describe('authorization_params', () => {
  it('are added to the authorization request, where the sign-in itself wins', async () => {
    const { begin, upstream } = fixture.open({
      config: { authorization_params: { hd: 'example.com', prompt: 'select_account' } },
    })
    const { url, expected } = await begin()
    expect(url.searchParams.get('hd')).toBe('example.com')
    expect(url.searchParams.getAll('prompt')).toEqual(['select_account'])
    const again = await upstream.authorizationUrl({ ...expected, prompt: 'login' })
    expect(again.searchParams.getAll('prompt')).toEqual(['login'])
  })

  it('override nothing of the sign-in, even where no check was made', async () => {
    const evil = { state: 'x', nonce: 'x', redirect_uri: 'https://evil.example', client_id: 'x' }
    const { url, expected } = await fixture.open({ config: { authorization_params: evil } }).begin()
    expect(url.searchParams.getAll('state')).toEqual([expected.state])
    expect(url.searchParams.getAll('nonce')).toEqual([expected.nonce])
    expect(url.searchParams.getAll('redirect_uri')).toEqual([expected.redirect_uri])
    expect(url.searchParams.getAll('client_id')).toEqual(['test-client'])
  })
})

describe('endpoints', () => {
  it('take the place of what the metadata says, each by itself', async () => {
    const { issuer } = fixture.idp
    const inner = (path: string) => `${issuer}${path}?from=inside`
    const behaviour = {
      discovery: (document: Record<string, unknown>) => ({
        ...document,
        token_endpoint: 'http://inner.example/token',
        jwks_uri: 'https://wrong.invalid/jwks',
        userinfo_endpoint: 'https://wrong.invalid/userinfo',
      }),
    }
    const endpoints = {
      authorization: inner('/authorize'),
      token: inner('/token'),
      jwks: inner('/jwks'),
      userinfo: inner('/userinfo'),
    }
    const identity = await fixture.login(behaviour, { config: { endpoints, userinfo: 'always' } })
    expect(identity.sub).toBe('testuser')
    expect(identity.userinfoClaims).toMatchObject({ email: 'testuser@example.com' })
  })

  it('leave the issuer of the metadata to be checked', async () => {
    const { issuer } = fixture.idp
    const config = {
      issuer: 'https://other.example',
      endpoints: { discovery: `${issuer}/.well-known/openid-configuration` },
    }
    const error = await refusal(fixture.open({ config }).begin(), 'metadata_invalid')
    expect(error.message).toContain('expected issuer "https://other.example"')
  })
})

describe('ca_file', () => {
  let folder: string
  let server: Server
  let issuer: string
  const path = (name: string) => join(folder, name)

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'upstream-ca-'))
    makeCertificate(path('one'))
    makeCertificate(path('other'))
    const tls = { cert: readFileSync(path('one.pem')), key: readFileSync(path('one.key')) }
    server = createServer(tls, (_request, response) => {
      const document = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/jwks`,
      }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(document))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })

  async function begin(changes: Record<string, unknown>): Promise<URL | undefined> {
    const config = upstreamConfig(issuer, changes)
    const upstreams = createUpstreams({
      upstreams: { one: config },
      now: Date.now,
      log: recordingLog(),
    })
    const request = {
      redirect_uri: 'http://127.0.0.1:9000/login/oauth2/code/one',
      state: 's',
      nonce: 'n',
      codeVerifier: 'v'.repeat(43),
    }
    try {
      return await upstreams.get('one')?.authorizationUrl(request)
    } finally {
      await upstreams.close()
    }
  }

  it('names the only authorities that are trusted', async () => {
    expect((await begin({ ca_file: path('one.pem') }))?.origin).toBe(issuer)
    for (const changes of [{}, { ca_file: path('other.pem') }]) {
      const error = await refusal(begin(changes), 'unavailable')
      expect(error.message).toMatch(/SELF_SIGNED|UNABLE_TO/)
    }
  })

  it('is refused at start when it holds no certificate', async () => {
    writeFileSync(path('empty.pem'), 'nothing\n')
    for (const name of ['empty.pem', 'missing.pem'])
      await expect(begin({ ca_file: path(name) })).rejects.toThrow(ConfigError)
  })
})

/** `<base>.pem` and `<base>.key`, for 127.0.0.1; its own authority. */
function makeCertificate(base: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=throw-away', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', `${base}.key`, '-out', `${base}.pem`]
  const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...key, ...names, ...files])
  if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`)
}

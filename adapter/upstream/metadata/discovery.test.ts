import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createMetadataSource, metadataFrom } from './discovery.ts'
import { refusal } from '../test-support/expect-upstream-error.ts'
import { useEvilIdp } from '../test-support/fixture.ts'

const fixture = useEvilIdp()
const { open } = fixture
const WELL_KNOWN = '/.well-known/openid-configuration'
const discoveries = () => fixture.idp.count(`GET ${WELL_KNOWN}`)
const HOUR = 3_600_000
type Json = Record<string, unknown>

const document = (issuer: string, changes: Json = {}): Json => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  ...changes,
})
const faultOf = (issuer: string, changes: Json) => {
  try {
    return metadataFrom(document(issuer, changes), 'test-auth-server', issuer).issuer
  } catch (error) {
    return (error as Error).message
  }
}

describe(createMetadataSource, () => {
  it('asks once for parallel logins', async () => {
    const { begin } = open()
    await Promise.all(Array.from({ length: 20 }, () => begin()))
    expect(discoveries()).toBe(1)
  })

  it('renews after an hour behind the back of a login', async () => {
    let now = Date.now()
    const { begin, log } = open({ now: () => now })
    await begin()
    now += HOUR - 1
    await begin()
    expect(discoveries()).toBe(1)
    now += 2
    await begin()
    await expect.poll(discoveries).toBe(2)
    await expect
      .poll(() => log.lines.filter(({ event }) => event === 'upstream.discovered').length)
      .toBe(2)
    await begin()
    expect(discoveries()).toBe(2)
  })

  it.each([
    [
      'fails',
      {
        answer: {
          [WELL_KNOWN]: (_request: unknown, response: ServerResponse) =>
            response.writeHead(503).end(),
        },
      },
    ],
    [
      'names another issuer',
      { discovery: (received: Json) => ({ ...received, issuer: 'https://evil.example' }) },
    ],
  ])(
    'keeps the metadata it has when renewal %s, and tries again after a minute',
    async (_name, behaviour) => {
      let now = Date.now()
      const { begin, log } = open({ now: () => now })
      await begin()
      fixture.idp.behaviour = behaviour
      now += HOUR + 1
      const { url } = await begin()
      expect(url.origin).toBe(fixture.idp.issuer)
      await expect
        .poll(() => log.lines.some(({ event }) => event === 'upstream.discovery_failed'))
        .toBe(true)
      await begin()
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(discoveries()).toBe(2)
      now += 60_001
      await begin()
      await expect.poll(discoveries).toBe(3)
    },
  )

  it('F01 fails fast while the upstream is down, and works within a second of its return', async () => {
    const { login } = open()
    await fixture.idp.close()
    try {
      const startedAt = performance.now()
      const error = await refusal(login(), 'unavailable')
      expect(error.message).toContain('ECONNREFUSED')
      expect(performance.now() - startedAt).toBeLessThan(1000)
    } finally {
      await fixture.idp.reopen()
    }
    const returnedAt = performance.now()
    await expect
      .poll(
        () =>
          login().then(
            ({ sub }) => sub,
            () => '',
          ),
        { timeout: 1000, interval: 50 },
      )
      .toBe('testuser')
    expect(performance.now() - returnedAt).toBeLessThan(1000)
  })

  it('F01 asks a dead upstream once for a stampede of logins', async () => {
    fixture.idp.behaviour = {
      answer: { [WELL_KNOWN]: (_request, response) => response.writeHead(503).end() },
    }
    const { begin } = open()
    await Promise.all(Array.from({ length: 50 }, () => refusal(begin(), 'unavailable')))
    await refusal(begin(), 'unavailable')
    expect(discoveries()).toBe(1)
  })

  it('C54 refuses metadata of another issuer, and sends nobody there', async () => {
    const received = `${fixture.idp.issuer}/`
    fixture.idp.behaviour = { discovery: (plain) => ({ ...plain, issuer: received }) }
    const error = await refusal(open().begin(), 'metadata_invalid')
    expect(error.message).toBe(
      `Discovery metadata: expected issuer "${fixture.idp.issuer}", got "${received}": the configured one lacks the trailing slash`,
    )
  })

  it('A29 follows no redirect from the discovery document', async () => {
    let calls = 0
    const inner = createServer((_request, response) => {
      calls += 1
      response.end('{}')
    })
    await new Promise<void>((resolve) => inner.listen(0, '127.0.0.1', resolve))
    const location = `http://127.0.0.1:${(inner.address() as AddressInfo).port}/`
    for (const status of [301, 302, 303, 307, 308]) {
      fixture.idp.behaviour = {
        answer: {
          [WELL_KNOWN]: (_request, response) => response.writeHead(status, { location }).end(),
        },
      }
      const error = await refusal(open().begin(), 'unavailable')
      expect(error.message).toContain(`answered ${status}; redirects are not followed`)
    }
    expect(calls).toBe(0)
    await new Promise((resolve) => inner.close(resolve))
  })
})

describe(metadataFrom, () => {
  const https = 'https://idp.example'

  it.each(['authorization_endpoint', 'token_endpoint', 'jwks_uri'])(
    'refuses metadata without %s',
    (name) => {
      expect(faultOf(https, { [name]: undefined })).toBe(
        `Discovery metadata: ${name} is missing or not a URL`,
      )
    },
  )

  it.each([
    ['http on another host', 'http://idp.example/token'],
    ['http on loopback', 'http://127.0.0.1/token'],
    ['a file', 'file:///etc/passwd'],
    ['script', 'javascript:alert(1)'],
  ])('A29 refuses endpoints of an https issuer that are %s', (_name, url) => {
    for (const name of [
      'authorization_endpoint',
      'token_endpoint',
      'jwks_uri',
      'userinfo_endpoint',
      'end_session_endpoint',
    ]) {
      expect(faultOf(https, { [name]: url })).toMatch(
        new RegExp(`^Discovery metadata: ${name} must be https, got `),
      )
    }
  })

  it('A29 refuses endpoints of a loopback issuer that are http elsewhere', () => {
    const issuer = 'http://127.0.0.1:9001'
    for (const url of [
      'http://169.254.169.254/latest',
      'http://127.0.0.1.evil.example/',
      'http://10.0.0.1/',
    ]) {
      expect(faultOf(issuer, { token_endpoint: url })).toContain('token_endpoint must be https')
    }
    expect(faultOf(issuer, {})).toBe(issuer)
  })

  it('A29 refuses endpoints that hold credentials', () => {
    expect(faultOf(https, { jwks_uri: 'https://a:b@idp.example/jwks' })).toBe(
      'Discovery metadata: jwks_uri holds credentials',
    )
  })

  it('accepts https endpoints on other hosts, as large upstreams have them', () => {
    expect(faultOf(https, { token_endpoint: 'https://oauth2.example/token' })).toBe(https)
  })

  it.each([null, [], 'text', 7])('refuses a document that is %j', (received) => {
    expect(() => metadataFrom(received, 'test-auth-server', https)).toThrow('Discovery metadata')
  })
})

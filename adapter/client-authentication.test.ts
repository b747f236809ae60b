// Secrets of clients at the endpoints that ask for them: two at a time, and no telling who exists. Clients come from the
// configuration alone.
import { createHash, randomBytes } from 'node:crypto'
import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { artefactKey } from './storage/provider/artefact-key.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const secret = () => randomBytes(32).toString('base64url')
const [old, fresh] = [secret(), secret()] as [string, string]
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const ENDS_IN_SECONDS = 3600

const on = useChain({
  config: {
    clients: {
      machine: {
        client_secrets: [
          {
            sha256: sha256(old),
            expires: new Date(Date.now() + ENDS_IN_SECONDS * 1000).toISOString(),
          },
          { sha256: sha256(fresh), created: '2026-01-01' },
        ],
        grant_types: ['client_credentials'],
        scope: 'openid jobs',
      },
    },
  },
})
const clock = useClock()
const GRANT = { grant_type: 'client_credentials' }
const ask = (text: string, client = 'machine') =>
  post(on.chain, '/oauth2/token', GRANT, [client, text])

describe('client secrets', () => {
  it('two are good at a time, in the header and in the form; the one that expires only until then', async () => {
    for (const text of [old, fresh]) {
      expect((await ask(text)).status).toBe(200)
      const form = { ...GRANT, client_id: 'machine', client_secret: text }
      expect((await post(on.chain, '/oauth2/token', form, null)).status).toBe(200)
    }
    clock.advance(ENDS_IN_SECONDS + 1)
    expect([(await ask(old)).status, (await ask(fresh)).status]).toEqual([401, 200])
  })

  it('a hash out of the file opens nothing, and no secret signs an assertion', async () => {
    expect((await ask(sha256(fresh))).status).toBe(401)
    const { issuer } = on.chain
    const client_assertion = await new SignJWT({
      iss: 'machine',
      sub: 'machine',
      aud: issuer,
      jti: secret(),
    })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1m')
      .sign(new TextEncoder().encode(fresh))
    const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    const form = { ...GRANT, client_assertion, client_assertion_type }
    expect((await post(on.chain, '/oauth2/token', form, null)).status).toBe(401)
  })

  const ENDPOINTS = ['/oauth2/token', '/oauth2/introspect', '/oauth2/revoke']
  it.each(ENDPOINTS)(
    'A45 %s: a client that is not there, a wrong secret, and a public client with one are answered alike',
    async (path) => {
      const form = { ...GRANT, token: 'x' }
      const answers = await Promise.all(
        [
          ['nobody', fresh],
          ['machine', secret()],
          ['machine', 'x'],
          ['client', fresh],
        ].map((credentials) => post(on.chain, path, form, credentials as [string, string])),
      )
      const told = answers.map(({ status, text, headers }) => {
        const fixed = [...headers].filter(
          ([name]) => !['date', 'content-length', 'x-request-id'].includes(name),
        )
        return JSON.stringify({ status, text, fixed })
      })
      expect(new Set(told).size).toBe(1)
      expect(answers[0]?.status).toBe(401)
      expect(answers[0]?.body).toEqual({
        error: 'invalid_client',
        error_description: 'client authentication failed',
      })
    },
  )

  it('A45 the log tells them apart, and holds no secret', async () => {
    const wrong = secret()
    const before = on.chain.logLines.length
    await ask(wrong, 'nobody')
    await ask(wrong)
    const lines = on.chain.logLines.slice(before).join('\n')
    expect(lines).toContain('client not found')
    expect(lines).toContain('invalid secret provided')
    for (const text of [wrong, old, fresh]) expect(lines).not.toContain(text)
  })
})

describe('A50 clients do not register themselves (CVE-2023-6544)', () => {
  it('A50 there is no registration endpoint, and none is advertised', async () => {
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const metadata = await (await fetch(`${on.chain.url}/.well-known/${name}`)).text()
      expect(metadata).not.toContain('registration')
    }
    const body = JSON.stringify({ redirect_uris: ['https://evil.test/cb'] })
    const headers = { 'content-type': 'application/json' }
    for (const path of [
      '/reg',
      '/register',
      '/oauth2/register',
      '/connect/register',
      '/registration',
      '/clients',
    ])
      for (const method of ['GET', 'POST', 'PUT', 'DELETE']) {
        const init = method === 'GET' ? {} : { body }
        expect((await fetch(on.chain.url + path, { method, headers, ...init })).status).toBe(404)
      }
  })

  it('A50 what got into the store is no client, and neither is a URL', async () => {
    const payload = {
      client_id: 'planted',
      client_secret: 's',
      redirect_uris: ['https://evil.test/cb'],
    }
    await on.chain.driver.set(artefactKey('Client', 'planted'), { payload }, 60)
    expect((await ask('s', 'planted')).status).toBe(401)
    for (const client_id of ['planted', 'https://evil.test/client.json']) {
      const page = await fetch(on.chain.app.request({ client_id }).url, { redirect: 'manual' })
      expect([page.status, page.headers.get('location')]).toEqual([400, null])
    }
  })
})

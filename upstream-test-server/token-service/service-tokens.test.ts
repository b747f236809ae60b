import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningUpstreamTestServer } from '../start.ts'
import { signerOf } from '../test-support/signer-of.ts'
import { claimsOf, startForTest } from '../test-support/test-browser.ts'
import { gateway, get, postForm, startWithServices, worker } from '../test-support/token-service.ts'
import type { Fields } from '../test-support/token-service.ts'

let server: RunningUpstreamTestServer
const lines: string[] = []
beforeAll(async () => {
  server = await startWithServices({}, lines)
})
afterAll(() => server.close())

const grant = { grant_type: 'client_credentials' }
const ask = (fields: Fields, path = '/token') =>
  postForm(`${server.issuer}${path}`, { ...grant, ...worker, ...fields })

describe('a service token', () => {
  it.each(['/token', '/oauth2/token'])(
    'comes from %s for a service that the client may speak to, five minutes long',
    async (path) => {
      const { status, body, headers } = await ask({ aud: 'logging-backend' }, path)
      expect(status).toBe(200)
      expect(headers.get('cache-control')).toBe('no-store')
      expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 300 })
      const token = String(body['access_token'])
      const claims = claimsOf(token)
      const who = { sub: 'worker', client_id: 'worker', aud: 'logging-backend' }
      expect(claims).toMatchObject({ iss: server.issuer, ...who, jti: expect.any(String) })
      expect(Number(claims['exp']) - Number(claims['iat'])).toBe(300)
      expect(await signerOf(server.issuer, token)).toBeDefined()
      const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()
      expect(JSON.parse(header)).toMatchObject({ typ: 'at+jwt', alg: 'RS256' })
    },
  )

  it('takes audience for aud, its own sub, and a URL as an audience', async () => {
    const { body } = await ask({ audience: 'https://files.example/', sub: 'worker' })
    expect(claimsOf(String(body['access_token']))['aud']).toBe('https://files.example/')
  })

  it.each([
    ['no aud', {}, 'invalid_request'],
    ['a service it may not speak to', { aud: 'billing' }, 'invalid_target'],
    ['the client of the sign-ins', { aud: 'test-client' }, 'invalid_target'],
    ['a longer name', { aud: 'https://files.example/x' }, 'invalid_target'],
    ['two names', { aud: 'logging-backend', audience: 'billing' }, 'invalid_request'],
    ['all names in one', { aud: 'logging-backend https://files.example/' }, 'invalid_target'],
    ["somebody else's sub", { aud: 'logging-backend', sub: 'testuser' }, 'invalid_request'],
    ['a scope', { aud: 'logging-backend', scope: 'openid' }, 'invalid_scope'],
  ])('A48 is not given for %s', async (_name, fields: Fields, error) => {
    const { status, body } = await ask(fields)
    expect([status, body['error']]).toEqual([400, error])
    expect(body['access_token']).toBeUndefined()
  })

  it('A48 is not given twice over: aud sent two times is refused', async () => {
    const body = new URLSearchParams({ ...grant, ...worker, aud: 'logging-backend' })
    body.append('aud', 'billing')
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', body })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ error: 'invalid_request' })
  })

  it('is not given to the client of an application, nor a sign-in to a service', async () => {
    const application = await ask({ ...gateway, aud: 'logging-backend' })
    expect([application.status, application.body['error']]).toEqual([400, 'invalid_request'])
    const signIn = await ask({ grant_type: 'authorization_code', code: 'x', redirect_uri: 'y' })
    expect([signIn.status, signIn.body['error']]).toEqual([400, 'invalid_request'])
  })

  it('A45 is refused alike to an unknown service and for a wrong secret', async () => {
    const wrong = await ask({ client_secret: 'wrong', aud: 'logging-backend' })
    const unknown = await ask({ client_id: 'nobody', aud: 'logging-backend' })
    expect(wrong.status).toBe(401)
    expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body])
  })

  it('A43 is in no log line, nor is the secret', async () => {
    const { body } = await ask({ aud: 'logging-backend' })
    const output = lines.join('')
    expect(output).toContain('"event":"token.issued"')
    for (const secret of [String(body['access_token']), worker.client_secret])
      expect(output).not.toContain(secret)
  })

  it('is not offered where no client is a service', async () => {
    const plain = await startForTest()
    const { body } = await get(`${plain.issuer}/.well-known/openid-configuration`)
    expect(body['grant_types_supported']).not.toContain('client_credentials')
    await plain.close()
  })
})

// What revocation and the end of a session mean for the other instances, for offline access, and what asking costs.
import { createServer, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAdapter, type Adapter } from '../../server.ts'
import { countRoundTrips } from '../../storage/count-round-trips.ts'
import { openDriver } from '../../storage/open-driver.ts'
import type { Driver } from '../../storage/driver.ts'
import { useChain, useClock } from '../../test-support/use-chain.ts'
import { login, post } from './test-support/token-calls.ts'

const OFFLINE = 'openid profile offline_access'
const on = useChain({
  storage: 'sqlite',
  wrapDriver: countRoundTrips,
  config: {
    session: { idle: '20m', absolute: '1h' },
    clients: { client: { scope: OFFLINE, refresh: {}, access_token: { ttl: '15m' } } },
  },
})
const clock = useClock()
const introspect = async (token: string) =>
  (await post(on.chain, '/oauth2/introspect', { token })).body['active']

describe('another instance on the same store', () => {
  let driver: Driver
  let adapter: Adapter
  let server: Server
  beforeAll(async () => {
    const { config, log, secrets } = on.chain
    driver = await openDriver(config.storage, { now: Date.now, log })
    adapter = await createAdapter({ config, driver, secrets, log, now: Date.now, version: 'two' })
    server = createServer(adapter.app)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  })
  afterAll(async () => {
    await new Promise((done) => server.close(done))
    await adapter.close()
    await driver.close()
  })
  /** By the name of the issuer, as a load balancer would. */
  const verify = (token: string) =>
    new Promise<unknown>((resolve, reject) => {
      const { port } = server.address() as AddressInfo
      const headers = { host: new URL(on.chain.issuer).host, 'content-type': 'application/json' }
      const options = { host: '127.0.0.1', port, path: '/verify', method: 'POST', headers }
      httpRequest(options, (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve(JSON.parse(text)))
      })
        .on('error', reject)
        .end(JSON.stringify({ token, audience: 'client' }))
    })

  it('A52 refuses a token the moment that it is revoked or its session ended at the first', async () => {
    const browser = on.chain.newBrowser()
    const { access_token, id_token } = await login(on.chain, { scope: 'openid' }, browser)
    const request = on.chain.app.request({ scope: 'openid' })
    const next = await on.chain.app.finish(await browser.open(request.url), request)
    expect(await verify(access_token)).toMatchObject({ valid: true })
    await post(on.chain, '/oauth2/revoke', { token: access_token })
    expect(await verify(access_token)).toEqual({ valid: false, error: 'revoked' })
    expect(await verify(next.body.access_token)).toMatchObject({ valid: true })
    const page = await browser.open(`${on.chain.url}/connect/logout?id_token_hint=${id_token}`)
    await browser.submit(page, { logout: 'yes' })
    expect(await verify(next.body.access_token)).toEqual({ valid: false, error: 'session_ended' })
  })
})

describe('offline access', () => {
  const refresh = (refresh_token: unknown) =>
    post(on.chain, '/oauth2/token', {
      grant_type: 'refresh_token',
      refresh_token: String(refresh_token),
    })

  it('its tokens live on when the session is over; others end with it', async () => {
    const plain = await login(on.chain, { scope: 'openid' })
    const offline = await login(on.chain, { scope: OFFLINE })
    clock.advance(19 * 60)
    const { body } = await refresh(offline['refresh_token'])
    clock.advance(2 * 60)
    expect(await introspect(plain.access_token)).toBe(false)
    const token = String(body['access_token'])
    expect(await introspect(token)).toBe(true)
    expect((await on.chain.app.userinfo(token)).status).toBe(200)
  })

  it('A52 a refresh token that is revoked takes its access tokens along', async () => {
    const { access_token, refresh_token } = await login(on.chain, { scope: OFFLINE })
    expect(await introspect(String(refresh_token))).toBe(true)
    await post(on.chain, '/oauth2/revoke', { token: String(refresh_token) }, [
      'second-client',
      'second-secret',
    ])
    expect(await introspect(String(refresh_token))).toBe(true)
    await post(on.chain, '/oauth2/revoke', { token: String(refresh_token) })
    expect(await introspect(String(refresh_token))).toBe(false)
    expect(await introspect(access_token)).toBe(false)
    expect((await on.chain.app.userinfo(access_token)).status).toBe(401)
    expect((await refresh(refresh_token)).body['error']).toBe('invalid_grant')
  })
})

describe('what it costs', () => {
  it.each(['/userinfo', '/oauth2/introspect', '/verify'])(
    '%s: one storage round trip',
    async (path) => {
      const { access_token: token } = await login(on.chain, { scope: 'openid' })
      if (path === '/userinfo') await on.chain.app.userinfo(token)
      else if (path === '/oauth2/introspect') await post(on.chain, path, { token })
      else
        await fetch(on.chain.url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ token, audience: 'client' }),
        })
      const isIt = (entry: Record<string, unknown>) => entry['path'] === path
      await expect
        .poll(() => on.chain.events('request.done').findLast(isIt))
        .toMatchObject({ status: 200, storage: { round_trips: 1 } })
    },
  )
})

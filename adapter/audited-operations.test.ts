// Security events that audited-chain.test.ts has no reason to cause: who is denied, mixed up answers, proofs shown again,
// exchanged tokens, a device that is not known, changed keys and configurations. Each is really done.
import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, afterEach, expect, it } from 'vitest'
import type { AuditEventName } from './audit/audit-events.ts'
import { createPseudonym } from './audit/judge-field.ts'
import { loadConfig } from './config/load-config.ts'
import { hashOf, proofKey, proofOf } from './provider/dpop/test-support/proofs.ts'
import { login, post } from './provider/endpoints/test-support/token-calls.ts'
import { keyRoutes } from './provider/keys/key-routes.ts'
import type { Config } from './config/schema.ts'
import { createGenerations } from './reload/generations.ts'
import { createReload } from './reload/reload.ts'
import { watchFiles } from './../service/watch-files.ts'
import { createAdapter } from './server.ts'
import { UPSTREAM } from './test-support/chain.ts'
import { DEVICE_GRANT, DEVICES } from './test-support/device.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const FILES = 'https://files.test'
let idp: EvilIdp
const on = useChain(async () => {
  idp = await startEvilIdp()
  return {
    isAudited: true,
    storage: 'sqlite',
    upstreams: { other: idp.issuer },
    config: {
      keys: { alg: 'ES256' },
      upstreams: {
        [UPSTREAM]: { scope: 'openid profile offline_access' },
        other: { require: { groups: ['staff'], groups_from: 'roles' } },
      },
      clients: {
        client: {
          exchange: {
            upstream_tokens: [{ upstream: UPSTREAM, audience: FILES, scope: 'openid profile' }],
          },
        },
        ...DEVICES,
      },
    },
  }
})
afterAll(() => idp.close())
afterEach(() => on.chain.upstreamControl.reset())

const named = (name: AuditEventName) =>
  on.chain.auditEntries().filter(({ event }) => event === name)
const last = (name: AuditEventName) => named(name).at(-1)
const person = () => createPseudonym(() => on.chain.secrets.subjectKey)('testuser')

it('somebody who does not meet what is required', async () => {
  await on.chain.newBrowser().open(on.chain.app.request({ upstream: 'other' }).url)
  expect(last('login.denied')).toMatchObject({
    upstream: 'other',
    client_id: 'client',
    rules: ['require.groups'],
  })
})

it('an answer for another upstream than the one that was asked', async () => {
  const browser = on.chain.newBrowser()
  const callback = '/login/oauth2/code/other'
  const { url } = await browser.open(on.chain.app.request({ upstream: 'other' }).url, {
    stopBefore: ({ pathname }) => pathname === callback,
  })
  await browser.open(url.href.replace(callback, `/login/oauth2/code/${UPSTREAM}`))
  expect(last('login.mixup')).toMatchObject({ expected: 'other', received: UPSTREAM })
})

it('A22 a DPoP proof that is shown again, at the token endpoint, PAR and userinfo', async () => {
  const key = await proofKey()
  const to = (path: string, htm = 'POST', claims = {}) =>
    proofOf(key, { htm, htu: `${on.chain.issuer}${path}`, ...claims })
  const redeem = async (dpop: string) => {
    const request = on.chain.app.request()
    const { url } = await on.chain.signIn(on.chain.newBrowser(), request.url)
    const form = {
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: on.chain.app.redirectUri,
      code_verifier: request.verifier,
    }
    return post(on.chain, '/oauth2/token', form, undefined, { dpop })
  }
  const once = await to('/oauth2/token')
  const token = String((await redeem(once)).body['access_token'])
  expect((await redeem(once)).status).toBe(400)
  const pushed = { dpop: await to('/oauth2/par') }
  const parameters = Object.fromEntries(new URL(on.chain.app.request().url).searchParams)
  for (const status of [201, 400])
    expect((await post(on.chain, '/oauth2/par', parameters, undefined, pushed)).status).toBe(status)
  const shown = await to('/userinfo', 'GET', { ath: hashOf(token) })
  const headers = { authorization: `DPoP ${token}`, dpop: shown }
  for (const status of [200, 401])
    expect((await fetch(`${on.chain.url}/userinfo`, { headers })).status).toBe(status)
  expect(named('dpop.replayed')).toEqual([
    expect.objectContaining({ client_id: 'client' }),
    expect.objectContaining({ client_id: 'client' }),
    expect.objectContaining({ client_id: 'client' }),
  ])
})

it('a token that is exchanged, and one that is not', async () => {
  const { access_token: subject_token } = await login(on.chain)
  const form = { grant_type: EXCHANGE, subject_token_type: ACCESS_TOKEN, subject_token }
  expect((await post(on.chain, '/oauth2/token', { ...form, audience: FILES })).status).toBe(200)
  expect(last('token.exchanged')).toMatchObject({
    client_id: 'client',
    upstream: UPSTREAM,
    gives: 'upstream',
    person: person(),
  })
  await post(on.chain, '/oauth2/token', { ...form, audience: 'https://mail.test' })
  expect(last('token.exchange_refused')).toMatchObject({
    client_id: 'client',
    oauth_error: 'invalid_target',
    reason: expect.stringContaining('no exchange.upstream_tokens') as string,
  })
  const before = named('token.exchange_refused').length
  await post(on.chain, '/oauth2/token', form, ['client', 'wrong'])
  await post(on.chain, '/oauth2/token', { grant_type: 'authorization_code', code: 'x' })
  expect(named('token.exchange_refused').length).toBe(before)
})

it('a device that does not prove itself', async () => {
  await post(on.chain, '/oauth2/device_authorization', { scope: 'openid' }, ['printer', 'wrong'])
  expect(last('client.auth_failed')).toMatchObject({ oauth_error: 'invalid_client' })
  const before = named('client.auth_failed').length
  await post(on.chain, '/oauth2/token', { grant_type: DEVICE_GRANT, device_code: 'x' }, [
    'printer',
    'wrong',
  ])
  expect(named('client.auth_failed').length).toBe(before + 1)
})

it('keys that are rotated', async () => {
  const { log, secrets } = on.chain
  const routes = keyRoutes({ keys: () => secrets, log, now: Date.now })
  const answer = await routes['POST /api/keys/rotate']?.({ now: true }, new URLSearchParams())
  expect(answer).toMatchObject({ status: 200, body: { outcome: 'rotated' } })
  const changes = named('key.changed').map(({ change }) => change)
  expect(changes).toEqual(expect.arrayContaining(['published', 'activated', 'retired']))
  expect(last('key.changed')).toMatchObject({ alg: 'ES256', kid: expect.any(String) as string })
})

it('a configuration that is taken, and one that can not be', async () => {
  const { config, configFile: file, driver, secrets, log } = on.chain
  const now = Date.now
  const build = (next: Config, generation: string) =>
    createAdapter({ config: next, generation, driver, secrets, version: 'test', log, now })
  const generations = createGenerations({
    id: 'first',
    config,
    adapter: await build(config, 'first'),
  })
  const sources = { file, env: {} }
  const watch = watchFiles({ onChange: () => undefined })
  const parts = { sources, loaded: loadConfig(sources), generations, build, watch, log }
  const key = secrets.cookieKeys[0] as string
  const reload = createReload({ ...parts, key, onTaken: async () => undefined })
  const settings = JSON.parse(readFileSync(file, 'utf8')) as { clients: Record<string, unknown> }
  delete settings.clients['printer']
  writeFileSync(file, JSON.stringify(settings))
  await reload('command')
  expect(last('config.loaded')).toMatchObject({ trigger: 'command', removed: ['clients.printer'] })
  writeFileSync(file, 'issuer: [')
  await reload('file')
  expect(last('config.rejected')).toMatchObject({
    trigger: 'file',
    reason: expect.any(String) as string,
  })
  watch.close()
  await generations.close()
})

it('none of them names the person', () => {
  expect(JSON.stringify(on.chain.auditEntries())).not.toContain('testuser')
})

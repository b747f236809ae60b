// No secret of a request without a browser is ever written down: assertions, proofs, pushed and signed requests, device codes,
// refresh and exchanged tokens, good ones and bad ones; neither in the log at its most talkative, nor in the database file.
import { randomUUID } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { hashOf, proofKey, proofOf } from './provider/dpop/test-support/proofs.ts'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { createDevice, DEVICES } from './test-support/device.ts'
import { useChain } from './test-support/use-chain.ts'

const URI = 'http://127.0.0.1:8098/callback'
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const on = useChain(async () => ({
  storage: 'sqlite',
  logLevel: 'trace',
  isAudited: true,
  config: {
    clients: {
      ...DEVICES,
      signed: {
        jwks: { keys: [await exportJWK(publicKey)] },
        redirect_uris: [URI],
        scope: 'openid profile',
        refresh: { when: 'always' },
        exchange: { accepts_upstream_tokens: [{ upstream: 'test-auth-server' }] },
      },
    },
  },
}))
/** Value → what it is. */
const secrets = new Map<string, string>()

function keep(kind: string, value: unknown): string {
  secrets.set(String(value), kind)
  return String(value)
}

const seconds = () => Math.floor(Date.now() / 1000)
const sign = (claims: object) =>
  new SignJWT({ exp: seconds() + 60, ...claims })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey)

async function proven(claims: object = {}) {
  const own = { iss: 'signed', sub: 'signed', aud: on.chain.issuer, jti: randomUUID(), ...claims }
  const client_assertion = keep('assertion', await sign(own))
  return { client_assertion_type: ASSERTION, client_assertion }
}

async function ask(path: string, form: Record<string, string>, headers = {}, claims = {}) {
  const answer = await post(on.chain, path, { ...form, ...(await proven(claims)) }, null, headers)
  for (const name of ['access_token', 'id_token', 'refresh_token', 'request_uri'])
    if (answer.body[name] !== undefined) keep(name, answer.body[name])
  return answer
}

/** One good use of everything, and bad ones. */
beforeAll(async () => {
  const key = await proofKey()
  const proof = async (htm: string, path: string, ath?: string) => {
    const claims = { htm, htu: on.chain.issuer + path, ...(ath === undefined ? {} : { ath }) }
    return { dpop: keep('proof', await proofOf(key, claims)) }
  }
  const asked = on.chain.app.request({ client_id: 'signed', redirect_uri: URI, scope: 'openid' })
  const claims = { ...Object.fromEntries(asked.url.searchParams), iss: 'signed' }
  const request = keep('request object', await sign({ ...claims, aud: on.chain.issuer }))
  const foreign = keep('request object', await sign({ ...claims, aud: 'https://other.test' }))
  await ask('/oauth2/par', { request: foreign })
  const pushed = await ask('/oauth2/par', { request })
  const bring = new URL('/oauth2/authorize', on.chain.url)
  const query = { client_id: 'signed', request_uri: String(pushed.body['request_uri']) }
  bring.search = new URLSearchParams(query).toString()
  const { url } = await on.chain.signIn(on.chain.newBrowser(), bring)
  const code = keep('code', url.searchParams.get('code'))
  const redeem = { grant_type: 'authorization_code', code, redirect_uri: URI }
  const code_verifier = keep('verifier', asked.verifier)
  const once = await proof('POST', '/oauth2/token')
  const { body } = await ask('/oauth2/token', { ...redeem, code_verifier }, once)
  const token = String(body['access_token'])
  const shown = await proof('GET', '/userinfo', hashOf(token))
  for (const headers of [shown, shown, { dpop: keep('proof', `cut-${shown.dpop.slice(9)}`) }])
    await on.chain.app.userinfo(token, { headers: { ...headers, authorization: `DPoP ${token}` } })
  const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }
  await ask('/oauth2/token', refresh, await proof('POST', '/oauth2/token'))
  await ask('/oauth2/token', refresh, once)
  await ask('/oauth2/token', refresh, {}, { aud: 'https://other.test' })
  const subject = { grant_type: EXCHANGE, subject_token_type: ACCESS_TOKEN }
  for (const subject_token of [token, keep('subject token', `${token.slice(0, -9)}forged123`)])
    await ask('/oauth2/token', { ...subject, subject_token })
  for (const path of ['/oauth2/introspect', '/oauth2/revoke']) await ask(path, { token })
  await ask('/oauth2/token', { ...redeem, code_verifier })
  const device = createDevice(on.chain.issuer)
  const { body: codes } = await device.start()
  keep('user code', codes.user_code)
  await device.poll(keep('device code', codes.device_code))
  await device.poll(keep('device code', `${codes.device_code.slice(0, -6)}wrong1`))
  bring.searchParams.set('request_uri', keep('request_uri', `${query.request_uri}-not`))
  await on.chain.newBrowser().open(bring)
})

const found = (text: string) =>
  [...secrets].flatMap(([secret, kind]) =>
    [secret, encodeURIComponent(secret)].some((written) => text.includes(written)) ? [kind] : [],
  )

describe('A43 canaries of tokens', () => {
  it('there is one of each kind, and what was done was logged', () => {
    const kinds = ['access_token', 'assertion', 'code', 'device code', 'id_token', 'proof']
    const others = ['refresh_token', 'request object', 'request_uri', 'subject token']
    const seen = new Set(secrets.values())
    expect([...seen]).toEqual(
      expect.arrayContaining([...kinds, ...others, 'user code', 'verifier']),
    )
    for (const event of ['token.issued', 'token.refused', 'authorization.refused'])
      expect(on.chain.events(event)).not.toEqual([])
  })

  it('the log at level trace holds none of them, nor do the security events', () => {
    for (const line of on.chain.logLines) expect([found(line), line]).toEqual([[], line])
    for (const entry of on.chain.auditEntries()) expect(found(JSON.stringify(entry))).toEqual([])
  })

  it('the database file holds none that could be used', async () => {
    const files = await readdir(on.chain.folder)
    const bytes = await Promise.all(
      files
        .filter((name) => name.startsWith('adapter.sqlite'))
        .map((name) => readFile(join(on.chain.folder, name), 'latin1')),
    )
    expect(bytes.join('')).toContain('ReplayDetection:')
    // Which is of use to who signed it alone: whoever brings it gets a code for that app.
    expect(found(bytes.join('')).filter((kind) => kind !== 'request object')).toEqual([])
  })
})

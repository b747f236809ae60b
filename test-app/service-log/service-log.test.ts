// POST /log with tokens of every kind: those of a real adapter's keys are made by the test provider, so that they can be wrong
// in any way; the real adapter's own come in whole-chain.test.ts beside this.
import { createHash, createHmac, createPublicKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text as textOf } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { SessionFileError } from '../store/sqlite-file.ts'
import { startOpenidProvider } from '../testing/openid-provider.ts'
import type { TestOpenidProvider } from '../testing/openid-provider.ts'
import { startTestApp } from '../testing/running-app.ts'
import type { RunningApp } from '../testing/running-app.ts'
import { openLogStore } from './log-store.ts'

type Json = Record<string, unknown>

const SECRET = 'a secret of the worker, 32 bytes or more'
const WORKER = { issuer: 'worker', secret: SECRET }
const AUDIENCE = 'logging-backend'
const ENTRY = { level: 'info', event: 'report.sent', message: 'Sent.', fields: { pages: 3 } }

let provider: TestOpenidProvider
let app: RunningApp
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'service-log-'))
  provider = await startOpenidProvider()
  app = await startTestApp(provider.issuer, { worker: WORKER, dataFolder: folder })
})
afterAll(async () => {
  await app.stop()
  await provider.stop()
  rmSync(folder, { recursive: true })
})
afterEach(() => void (app.clock.offsetMs = 0))

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

function hmacJwt(claims: Json, key: string | Buffer, header: Json = {}, hash = 'sha256'): string {
  const input = `${encode({ alg: 'HS256', typ: 'JWT', ...header })}.${encode(claims)}`
  return `${input}.${createHmac(hash, key).update(input).digest('base64url')}`
}

let made = 0
const seconds = () => Math.floor(Date.now() / 1000)

const workerClaims = (changes: Json = {}): Json => {
  const iat = seconds()
  const jti = `worker-token-${(made += 1)}`
  return { iss: 'worker', aud: AUDIENCE, sub: 'reports', iat, exp: iat + 60, jti, ...changes }
}

const workerToken = (changes?: Json, header?: Json) =>
  hmacJwt(workerClaims(changes), SECRET, header)

/** As the adapter's of client_credentials. */
const adapterToken = (changes: Json = {}, header: { typ?: string; algorithm?: 'none' } = {}) =>
  provider.logoutToken(
    { aud: AUDIENCE, sub: 'worker', client_id: 'worker', events: undefined, ...changes },
    { typ: 'at+jwt', ...header },
  )

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly json: Json
}

interface Sent {
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
  readonly url?: string
}

async function send({ body, headers = {}, url = app.url }: Sent): Promise<Answer> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const options = { method: 'POST', agent: false, headers }
    request(`${url}/log`, options, resolve).on('error', reject).end(body)
  })
  const json = JSON.parse(await textOf(answer)) as Json
  return { status: answer.statusCode ?? 0, headers: answer.headers, json }
}

const post = (token: string, entry: unknown = ENTRY, url = app.url) =>
  send({
    body: JSON.stringify(entry),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    url,
  })

function newest(count = 1) {
  const store = openLogStore({ dataFolder: folder, now: Date.now })
  const found = store.newest(count)
  store.close()
  return found
}

const logged = (event: string) =>
  app.log.text
    .split('\n')
    .filter((line) => line.includes(`"${event}"`))
    .map((line) => JSON.parse(line) as Json)

/** Nothing was stored meanwhile, and the answer says why as RFC 6750 has it. */
async function expectRefused(token: string, said: string) {
  const before = newest()[0]?.id
  const { status, headers, json } = await post(token)
  expect(status).toBe(401)
  expect(headers['www-authenticate']).toBe(
    `Bearer realm="${AUDIENCE}", error="invalid_token", error_description="the token ${said}"`,
  )
  expect(json).toMatchObject({ success: false, code: 'TOKEN_INVALID' })
  expect(newest()[0]?.id).toBe(before)
}

const ISSUER = 'is from an issuer that is not known here'
const ALGORITHM = 'is not signed by the algorithm of its issuer'
const SIGNATURE = 'is not signed by a key of its issuer, or changed since'
const AUDIENCE_SAID = 'is meant for another service'
const CLAIMS = 'is without a claim that is needed, or with one that can not be'
const LIFETIME = 'is good for more than five minutes'
const MALFORMED = 'is no JWT that can be read here'
const REPLAYED = 'was used before; expected a new one for each request'
const PERSON = 'is of a person; expected one of a service (client_credentials)'

describe('a token of the adapter', () => {
  it('is accepted until it expires, as often as it is sent, and the line is kept', async () => {
    const token = adapterToken()
    const { status, json } = await post(token)
    expect([status, json['success']]).toEqual([200, true])
    expect((await post(token)).status).toBe(200)
    const [line, before] = newest(2)
    expect(line).toMatchObject({
      service: { name: 'worker', issuer: provider.issuer },
      entry: ENTRY,
    })
    expect(before?.id).toBe(json['id'])
    app.clock.offsetMs = 121_000
    await expectRefused(token, 'is expired')
  })

  const foreign = () => hmacJwt(workerClaims({ iss: 'https://elsewhere.example' }), SECRET)
  it.each([
    ['for another service', () => adapterToken({ aud: 'client' }), AUDIENCE_SAID],
    ['of another issuer', foreign, ISSUER],
    ['of a person', () => adapterToken({ sub: 'testuser' }), PERSON],
    ['without a client', () => adapterToken({ client_id: undefined }), PERSON],
    ['without an end', () => adapterToken({ exp: undefined }), CLAIMS],
    ['that is a logout token', () => adapterToken({}, { typ: 'logout+jwt' }), 'is no access token'],
    ['that is an ID token', () => adapterToken({}, { typ: 'JWT' }), 'is no access token'],
    ['from the future', () => adapterToken({ nbf: seconds() + 90 }), 'is made ahead of our clock'],
    ['bound to a key', () => adapterToken({ cnf: { jkt: 'a-thumbprint' } }), CLAIMS],
    ['changed after it was signed', () => tampered(adapterToken()), SIGNATURE],
    ['that is none', () => 'not-a-jwt', MALFORMED],
    ['in five parts', () => `${adapterToken()}.e30.e30`, MALFORMED],
    ['with a second word', () => `${adapterToken()} more`, MALFORMED],
  ])('is refused %s', async (_, token, said) => {
    await expectRefused(token(), said)
  })

  it('is judged with the new key after a rotation', async () => {
    const other = await startOpenidProvider()
    const fresh = await startTestApp(other.issuer)
    other.rotateKey()
    const claims = { aud: AUDIENCE, sub: 'worker', client_id: 'worker', events: undefined }
    const token = other.logoutToken(claims, { typ: 'at+jwt' })
    expect((await post(token, ENTRY, fresh.url)).status).toBe(200)
    await fresh.stop()
    await other.stop()
  })

  it('can not be judged while the adapter is away: 503, and the worker may try again', async () => {
    const other = await startOpenidProvider()
    const fresh = await startTestApp(other.issuer, { worker: WORKER })
    const claims = { aud: AUDIENCE, sub: 'worker', client_id: 'worker', events: undefined }
    const token = other.logoutToken(claims, { typ: 'at+jwt' })
    await other.stop()
    const away = await post(token, ENTRY, fresh.url)
    expect([away.status, away.json['code'], away.headers['retry-after']]).toEqual([
      503,
      'UNAVAILABLE',
      '5',
    ])
    // Who needs no key of the adapter is served.
    expect((await post(workerToken(), ENTRY, fresh.url)).status).toBe(200)
    await other.restart()
    expect((await post(token, ENTRY, fresh.url)).status).toBe(200)
    await fresh.stop()
    await other.stop()
  })
})

function tampered(token: string): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Json
  return [header, encode({ ...claims, exp: Number(claims['exp']) + 60 }), signature].join('.')
}

describe('a token that a worker has signed itself', () => {
  it('is accepted once', async () => {
    const token = workerToken()
    expect((await post(token)).status).toBe(200)
    expect(newest()[0]?.service).toEqual({ name: 'reports', issuer: 'worker' })
    await expectRefused(token, REPLAYED)
  })

  it('counts once of twenty at the same time', async () => {
    const token = workerToken()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(token)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(19)
  })

  it('stays used after a restart, until nobody would take it any more', async () => {
    const token = workerToken()
    expect((await post(token)).status).toBe(200)
    await app.restart()
    await expectRefused(token, REPLAYED)
    // Within the tolerance for clocks it is still good, and still used.
    app.clock.offsetMs = 70_000
    await expectRefused(token, REPLAYED)
    app.clock.offsetMs = 76_000
    await expectRefused(token, 'is expired')
  })

  it('stays used to the end of the second that its expiry is in', async () => {
    const iat = seconds()
    const token = workerToken({ iat, exp: iat + 60.1 })
    expect((await post(token)).status).toBe(200)
    app.clock.offsetMs = (iat + 75.3) * 1000 - Date.now()
    await expectRefused(token, REPLAYED)
  })

  it('goes by its issuer where it names no service', async () => {
    expect((await post(workerToken({ sub: undefined }))).status).toBe(200)
    expect(newest()[0]?.service.name).toBe('worker')
  })

  it.each([
    ['without an end', () => workerToken({ exp: undefined }), CLAIMS],
    ['without a beginning', () => workerToken({ iat: undefined }), CLAIMS],
    ['without a number', () => workerToken({ jti: undefined }), CLAIMS],
    ['with an odd number', () => workerToken({ jti: { a: 1 } }), CLAIMS],
    ['with an endless number', () => workerToken({ jti: 'j'.repeat(129) }), CLAIMS],
    ['with a name that is no text', () => workerToken({ sub: 7 }), CLAIMS],
    ['good for 301 s', () => workerToken({ exp: seconds() + 301 }), LIFETIME],
    [
      'from the future',
      () => workerToken({ iat: seconds() + 60, exp: seconds() + 120 }),
      'is made ahead of our clock',
    ],
    [
      'that has expired',
      () => workerToken({ iat: seconds() - 90, exp: seconds() - 20 }),
      'is expired',
    ],
    ['for another service', () => workerToken({ aud: 'billing' }), AUDIENCE_SAID],
    ['with another secret', () => hmacJwt(workerClaims(), 'b'.repeat(40)), SIGNATURE],
    ['with no secret', () => hmacJwt(workerClaims(), ''), SIGNATURE],
    [
      'that calls itself an access token',
      () => workerToken({}, { typ: 'at+jwt' }),
      'is no access token',
    ],
    [
      'with an extension that nobody knows',
      () => workerToken({}, { crit: ['x'], x: 1 }),
      ALGORITHM,
    ],
  ])('is refused %s', async (_, token, said) => {
    await expectRefused(token(), said)
  })

  it('is of an unknown issuer where no secret is configured', async () => {
    await app.restart({ worker: undefined })
    await expectRefused(workerToken(), ISSUER)
    await app.restart()
  })
})

describe('one algorithm for one issuer', () => {
  /** What everybody can read, as bytes that somebody may take for a shared secret. */
  async function publicKeys(): Promise<Buffer[]> {
    const answer = await fetch(`${provider.issuer}/oauth2/jwks`)
    const { keys } = (await answer.json()) as { keys: [Json & { n: string }] }
    const key = createPublicKey({ key: keys[0], format: 'jwk' })
    return [
      Buffer.from(key.export({ type: 'spki', format: 'pem' })),
      key.export({ type: 'spki', format: 'der' }),
      Buffer.from(key.export({ type: 'pkcs1', format: 'pem' })),
      Buffer.from(JSON.stringify(keys[0])),
      Buffer.from(keys[0].n, 'base64url'),
    ]
  }

  it('the public keys of the adapter are nobody’s secret', async () => {
    const claims = () => workerClaims({ iss: provider.issuer, sub: 'worker', client_id: 'worker' })
    for (const key of await publicKeys()) {
      for (const header of [{ typ: 'at+jwt' }, { typ: 'at+jwt', kid: 'any' }])
        await expectRefused(hmacJwt(claims(), key, header), ALGORITHM)
      await expectRefused(hmacJwt(workerClaims(), key), SIGNATURE)
    }
  })

  it('the secret of a worker makes no token of the adapter', async () => {
    const claims = workerClaims({ iss: provider.issuer, sub: 'worker', client_id: 'worker' })
    await expectRefused(hmacJwt(claims, SECRET, { typ: 'at+jwt' }), ALGORITHM)
  })

  it('the key of the adapter makes no token of a worker', async () => {
    await expectRefused(adapterToken(workerClaims()), ALGORITHM)
  })

  it.each(['HS384', 'HS512'])('%s is not HS256, though the secret is right', async (alg) => {
    const hash = alg.replace('HS', 'sha')
    await expectRefused(hmacJwt(workerClaims(), SECRET, { alg }, hash), ALGORITHM)
  })

  it.each(['none', 'None', 'nOnE', 'NONE', ''])('alg %j signs nothing', async (alg) => {
    const said = alg === '' ? MALFORMED : ALGORITHM
    for (const claims of [workerClaims(), workerClaims({ iss: provider.issuer })]) {
      const input = `${encode({ alg, typ: 'at+jwt' })}.${encode(claims)}`
      await expectRefused(`${input}.`, said)
    }
    await expectRefused(adapterToken({}, { algorithm: 'none' }), ALGORITHM)
  })

  it('a key that a token brings along is not looked at', async () => {
    const jwk = { kty: 'oct', k: Buffer.from('c'.repeat(40)).toString('base64url') }
    const token = hmacJwt(workerClaims(), 'c'.repeat(40), { jwk, jku: `${provider.issuer}/jwks` })
    await expectRefused(token, SIGNATURE)
  })
})

describe('who says nothing of itself', () => {
  it.each([
    ['no header', {}],
    ['another scheme', { authorization: 'Basic d29ya2VyOnNlY3JldA==' }],
    ['a scheme alone', { authorization: 'Bearer' }],
  ])('is asked to, without an error: %s', async (_, more) => {
    const headers = { 'content-type': 'application/json', ...more }
    const answer = await send({ body: JSON.stringify(ENTRY), headers })
    expect([answer.status, answer.json['code']]).toEqual([401, 'TOKEN_MISSING'])
    expect(answer.headers['www-authenticate']).toBe(`Bearer realm="${AUDIENCE}"`)
  })

  it('is asked before its body is looked at', async () => {
    const answer = await send({ body: 'x'.repeat(1_000_000), headers: { 'content-type': 'a/b' } })
    expect(answer.status).toBe(401)
  })

  it('has no token in the address, and none in a cookie', async () => {
    const answer = await fetch(`${app.url}/log?access_token=${adapterToken()}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: `TEST_APP_ACCESS=${adapterToken()}` },
      body: JSON.stringify(ENTRY),
    })
    expect(answer.status).toBe(401)
  })
})

describe('a line', () => {
  const deep = `${'['.repeat(8000)}${']'.repeat(8000)}`
  const manyFields = Object.fromEntries(Array.from({ length: 21 }, (_, at) => [`f${at}`, at]))
  it.each([
    ['none', ''],
    ['half a one', '{"level":'],
    ['words', 'report.sent'],
  ])('is 400 MALFORMED_JSON: %s', async (_, body) => {
    const { status, json } = await post400(body)
    expect([status, json['code']]).toEqual([400, 'MALFORMED_JSON'])
  })

  it.each([
    ['no object', '[]', ''],
    ['depth without end', deep, ''],
    ['no level', JSON.stringify({ event: 'a' }), 'level'],
    ['a level that is none', JSON.stringify({ ...ENTRY, level: 'loud' }), 'level'],
    ['an event with a line break', JSON.stringify({ ...ENTRY, event: 'a\nb' }), 'event'],
    ['a message without end', JSON.stringify({ ...ENTRY, message: 'm'.repeat(2001) }), 'message'],
    ['a time that is none', JSON.stringify({ ...ENTRY, at: 'yesterday' }), 'at'],
    ['an unknown member', JSON.stringify({ ...ENTRY, admin: true }), ''],
    ['a prototype', '{"level":"info","event":"a","__proto__":{"admin":true}}', ''],
    ['a field that is an object', JSON.stringify({ ...ENTRY, fields: { a: {} } }), 'fields.a'],
    ['a field of an odd name', JSON.stringify({ ...ENTRY, fields: { 'a b': 1 } }), 'fields.a b'],
    ['too many fields', JSON.stringify({ ...ENTRY, fields: manyFields }), 'fields'],
  ])('is 400 VALIDATION_ERROR: %s', async (_, body, field) => {
    const { status, json } = await post400(body)
    expect([status, json['code']]).toEqual([400, 'VALIDATION_ERROR'])
    expect(json['fields']).toEqual([{ field, message: expect.any(String) as string }])
  })

  async function post400(body: string) {
    const before = newest()[0]?.id
    const headers = {
      'content-type': 'application/json',
      authorization: `Bearer ${adapterToken()}`,
    }
    const answer = await send({ body, headers })
    expect(newest()[0]?.id).toBe(before)
    return answer
  }

  it.each([
    [413, 'PAYLOAD_TOO_LARGE', 'application/json', JSON.stringify({ message: 'm'.repeat(16_384) })],
    [413, 'PAYLOAD_TOO_LARGE', 'application/json', 'x'.repeat(1_000_000)],
    [415, 'UNSUPPORTED_MEDIA_TYPE', 'text/plain', JSON.stringify(ENTRY)],
    [415, 'UNSUPPORTED_MEDIA_TYPE', 'application/x-www-form-urlencoded', 'level=info'],
    [415, 'UNSUPPORTED_MEDIA_TYPE', 'application/json; charset=utf-7', JSON.stringify(ENTRY)],
  ])('is %i %s', async (status, code, type, body) => {
    const headers = { 'content-type': type, authorization: `Bearer ${adapterToken()}` }
    const answer = await send({ body, headers })
    expect([answer.status, answer.json['code']]).toEqual([status, code])
  })

  it('may be compressed by nobody', async () => {
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    const authorization = `Bearer ${adapterToken()}`
    const answer = await send({ body: Buffer.alloc(20), headers: { ...headers, authorization } })
    expect([answer.status, answer.json['code']]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it('is whole at its largest', async () => {
    const fields = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`f${at}`, 'v v '.repeat(125)]),
    )
    const entry = { ...ENTRY, message: 'm m '.repeat(500), at: '2026-01-02T03:04:05Z', fields }
    expect((await post(adapterToken(), entry)).status).toBe(200)
    expect(newest()[0]?.entry).toEqual(entry)
  })
})

describe('what is kept', () => {
  it('A43 has no token, no password and no e-mail address in it, nor has our log', async () => {
    const [token, worker] = [adapterToken(), workerToken()]
    const canary = 'canary-4711'
    const entry = {
      ...ENTRY,
      message: `password=${canary} of ${canary}@example.test called with ${token} and Bearer ${canary}-token`,
      fields: { client_secret: canary, note: `apiKey: "${canary}"` },
    }
    expect((await post(token, entry)).status).toBe(200)
    expect((await post(worker, entry)).status).toBe(200)
    await post(tampered(token), entry)
    await post(token, { ...ENTRY, password: canary })
    const kept = JSON.stringify(newest(3)) + app.log.text
    for (const secret of [canary, SECRET, token, worker]) expect(kept).not.toContain(secret)
    for (const file of ['test-app.sqlite', 'test-app.sqlite-wal']) {
      const bytes = readFileSync(path.join(folder, file), 'latin1')
      for (const secret of [SECRET, token, worker]) expect(bytes).not.toContain(secret)
    }
  })

  it('says in one log line what a token was, and whether it was good', async () => {
    const worker = workerToken()
    await post(worker)
    await post(worker)
    const [good, bad] = logged('token.verified').slice(-2)
    const hash = createHash('sha256').update(worker).digest('hex').slice(0, 12)
    const claims = { iss: 'worker', sub: 'reports', aud: AUDIENCE }
    expect(good).toMatchObject({ via: 'worker', valid: true, token_hash: hash, claims })
    expect(good).toHaveProperty('ms')
    expect(bad).toMatchObject({ valid: false, reason: 'replayed', token_hash: hash })
    const stored = { service: 'reports', iss: 'worker', token_hash: hash }
    expect(logged('service_log.stored').at(-1)).toMatchObject(stored)
    const refused = { reason: 'replayed', token_hash: hash }
    expect(logged('service_log.refused').at(-1)).toMatchObject(refused)
    await post(adapterToken())
    expect(logged('token.verified').at(-1)).toMatchObject({ via: 'service', valid: true })
  })

  it('is no more than so many lines, the newest', () => {
    const place = mkdtempSync(path.join(tmpdir(), 'service-log-'))
    const store = openLogStore({ dataFolder: place, now: Date.now, most: 5 })
    for (let at = 0; at < 12; at += 1)
      store.add({ name: 'a', issuer: 'b' }, { level: 'info', event: `e${at}` })
    expect(store.newest(100).map(({ entry }) => entry.event)).toEqual([
      'e11',
      'e10',
      'e9',
      'e8',
      'e7',
    ])
    store.close()
    rmSync(place, { recursive: true })
  })

  it('is one file for several processes: a token is good at one of them', () => {
    const place = mkdtempSync(path.join(tmpdir(), 'service-log-'))
    const stores = [1, 2].map(() => openLogStore({ dataFolder: place, now: Date.now }))
    const until = Date.now() + 60_000
    const used = Array.from(
      { length: 50 },
      (_, at) => stores.filter((store) => store.useOnce('worker', `jti-${at}`, until)).length,
    )
    expect(new Set(used)).toEqual(new Set([1]))
    expect(stores[0]?.useOnce('another', 'jti-0', until)).toBe(true)
    for (const store of stores) store.close()
    rmSync(place, { recursive: true })
  })

  it('locked by another writer: services are told to come again, and nobody else waits for them', async () => {
    const other = new DatabaseSync(path.join(folder, 'test-app.sqlite'))
    other.exec('begin immediate')
    const startedAt = performance.now()
    const sent = [workerToken(), adapterToken(), workerToken(), adapterToken()].map((token) =>
      post(token),
    )
    const answers = await Promise.all(sent)
    expect(performance.now() - startedAt).toBeLessThan(1000)
    for (const { status, headers } of answers)
      expect([status, headers['retry-after']]).toEqual([503, '5'])
    other.exec('rollback')
    other.close()
    expect((await post(workerToken())).status).toBe(200)
  })

  it('is said at the start to be unusable when the file is', () => {
    const place = mkdtempSync(path.join(tmpdir(), 'service-log-'))
    writeFileSync(path.join(place, 'test-app.sqlite'), 'this is no database, whoever wrote it')
    expect(() => openLogStore({ dataFolder: place, now: Date.now })).toThrow(SessionFileError)
    rmSync(place, { recursive: true })
  })
})

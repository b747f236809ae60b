import { generateKeyPairSync, sign, createHmac } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createLog } from '../../../service/log.ts'
import { SignInError } from '../../relying-party/sign-in-error.ts'
import { createAdapterKeys } from './adapter-keys.ts'
import { shortHash } from '../../audit/hashes.ts'
import { createVerifyToken } from './verify-token.ts'
import type { VerifyToken } from './verify-token.ts'
import { createVerifiedTokens } from './verified-tokens.ts'

const ISSUER = 'https://adapter.example'
const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

let clock: number
let published: { kid: string; publicKey: KeyObject }[]
let answerStatus: number
let asked: number
let lines: string
let verify: VerifyToken
let close: () => Promise<void>
let key: ReturnType<typeof newKey>

beforeEach(async () => {
  clock = 1_800_000_000_000
  key = newKey()
  published = [{ kid: 'first', publicKey: key.publicKey }]
  answerStatus = 200
  asked = 0
  lines = ''
  const server = createServer((_req, res) => {
    asked += 1
    const keys = published.map(({ kid, publicKey }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
    }))
    res.writeHead(answerStatus, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const now = () => clock
  const log = createLog({
    level: 'info',
    pretty: false,
    destination: { write: (line) => void (lines += line) },
  })
  const findKey = createAdapterKeys({ jwksUri: async () => uri, now })
  verify = createVerifyToken({ issuer: ISSUER, findKey, log, now })
  close = () => new Promise((resolve) => void server.close(() => resolve()))
})
afterEach(() => close())

const claims = (change: object = {}) => {
  const iat = clock / 1000
  const base = { iss: ISSUER, sub: 'testuser', aud: 'client', client_id: 'client' }
  return { ...base, email: 'who@example.test', iat, exp: iat + 300, ...change }
}
function jwt(payload: object, header: object = {}, privateKey = key.privateKey): string {
  const input = `${encode({ alg: 'RS256', typ: 'at+jwt', kid: 'first', ...header })}.${encode(payload)}`
  return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
}
const use = { via: 'bearer', audience: 'client' }
const reasonOf = async (token: string) => {
  const verdict = await verify(token, use)
  return verdict.valid || verdict.reason
}

describe(createVerifyToken, () => {
  it('accepts a token of the adapter for this app, and asks for the keys once', async () => {
    const verdict = await verify(jwt(claims()), use)
    expect(verdict).toMatchObject({ valid: true, claims: { sub: 'testuser' } })
    await verify(jwt(claims({ aud: ['other', 'client'] })), use)
    expect(asked).toBe(1)
  })

  it.each([
    ['issuer', { iss: 'https://other.example' }, {}],
    ['audience', { aud: 'second-client' }, {}],
    ['audience', { aud: [] }, {}],
    ['expired', { exp: 1_799_999_999 }, {}],
    ['not_yet_valid', { nbf: 1_800_000_100 }, {}],
    ['not_yet_valid', { iat: 1_800_000_100 }, {}],
    ['claims', { sub: undefined }, {}],
    ['claims', { exp: undefined }, {}],
    ['claims', { cnf: { jkt: 'a-key' } }, {}],
    ['type', {}, { typ: 'JWT' }],
    ['type', {}, { typ: 'logout+jwt' }],
    ['type', {}, { typ: undefined }],
    ['signature', {}, { kid: 'unknown' }],
    ['algorithm', {}, { crit: ['x'], x: 1 }],
  ])('refuses one with a wrong %s: %j %j', async (reason, change, header) => {
    expect(await reasonOf(jwt(claims(change), header))).toBe(reason)
  })

  it('refuses other keys, no signature, and HMAC with the public key', async () => {
    expect(await reasonOf(jwt(claims(), {}, newKey().privateKey))).toBe('signature')
    const unsigned = `${encode({ alg: 'none', typ: 'at+jwt' })}.${encode(claims())}.`
    expect(await reasonOf(unsigned)).toBe('algorithm')
    const input = `${encode({ alg: 'HS256', typ: 'at+jwt', kid: 'first' })}.${encode(claims())}`
    const pem = key.publicKey.export({ format: 'pem', type: 'spki' })
    const mac = createHmac('sha256', pem).update(input).digest('base64url')
    expect(await reasonOf(`${input}.${mac}`)).toBe('algorithm')
    for (const text of ['', 'a.b.c', 'x'.repeat(9000), 'opaque'])
      expect(await reasonOf(text)).toBe('malformed')
  })

  it('tells the claims of an expired token, whose all else was good', async () => {
    const verdict = await verify(jwt(claims({ exp: clock / 1000 })), use)
    expect(verdict).toMatchObject({ valid: false, reason: 'expired', claims: { sub: 'testuser' } })
    const foreign = jwt(claims({ exp: 1 }), {}, newKey().privateKey)
    expect(await verify(foreign, use)).toEqual({ valid: false, reason: 'signature' })
  })

  it('A43 logs the hash, listed claims, the verdict and the time; neither the token nor an e-mail address', async () => {
    const [good, bad] = [jwt(claims()), jwt(claims({ aud: 'x' }))]
    await verify(good, use)
    await verify(bad, use)
    const [first, second] = lines
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(first).toMatchObject({
      event: 'token.verified',
      token_hash: shortHash(good),
      via: 'bearer',
      valid: true,
      claims: { iss: ISSUER, sub: 'testuser', aud: 'client', exp: clock / 1000 + 300 },
    })
    expect(first?.['ms']).toBeTypeOf('number')
    expect(second).toMatchObject({ token_hash: shortHash(bad), valid: false, reason: 'audience' })
    expect(lines).not.toContain('who@example.test')
    for (const token of [good, bad])
      for (const part of token.split('.')) expect(lines).not.toContain(part)
  })
})

describe('a token that was found good before', () => {
  /** Twice: what was verified while keys were read is looked at again. */
  async function known(change: object = {}): Promise<string> {
    const token = jwt(claims(change))
    for (let turn = 0; turn < 2; turn += 1) expect(await reasonOf(token)).toBe(true)
    return token
  }

  it('has its signature computed no more while the keys are the same', async () => {
    const verifying = vi.spyOn(crypto.subtle, 'verify')
    const token = await known()
    for (let turn = 0; turn < 20; turn += 1) expect(await reasonOf(token)).toBe(true)
    expect(verifying).toHaveBeenCalledTimes(2)
    clock += 250_000
    await reasonOf(jwt(claims(), { kid: 'unknown' }))
    expect(asked).toBe(2)
    expect(await reasonOf(token)).toBe(true)
    expect(verifying).toHaveBeenCalledTimes(3)
    verifying.mockRestore()
  })

  it('is told in the log each time', async () => {
    const token = await known()
    await verify(token, use)
    const told = lines.trim().split('\n')
    expect(told).toHaveLength(3)
    for (const line of told)
      expect(JSON.parse(line)).toMatchObject({ token_hash: shortHash(token), valid: true })
  })

  it('ends to the second, and its claims are told', async () => {
    const token = await known()
    clock += 299_999
    expect(await reasonOf(token)).toBe(true)
    clock += 1
    const verdict = await verify(token, use)
    expect(verdict).toMatchObject({ valid: false, reason: 'expired', claims: { sub: 'testuser' } })
  })

  it('is not yet valid where the clock was set back', async () => {
    const [token, other] = [await known({ nbf: clock / 1000 }), await known()]
    clock -= 1000
    expect([await reasonOf(token), await reasonOf(other)]).toEqual(['not_yet_valid', true])
    clock -= 60_000
    expect(await reasonOf(other)).toBe('not_yet_valid')
  })

  it('is not good for another use, nor is another one that begins alike', async () => {
    const token = await known()
    const verdict = await verify(token, { ...use, audience: 'second-client' })
    expect(verdict).toEqual({ valid: false, reason: 'audience' })
    const ofOtherType = jwt(claims(), { typ: 'JWT' })
    for (let turn = 0; turn < 2; turn += 1)
      expect(await verify(ofOtherType, { ...use, isOfAnyType: true })).toMatchObject({
        valid: true,
      })
    expect(await reasonOf(ofOtherType)).toBe('type')
    const [header, , signature] = token.split('.')
    const forged = encode(claims({ sub: 'admin' }))
    expect(await reasonOf(`${header}.${forged}.${signature}`)).toBe('signature')
    expect(await reasonOf(`${token.slice(0, -8)}AAAAAAAA`)).toBe('signature')
  })

  it('is no longer good when its key is no longer published', async () => {
    const token = await known({ exp: clock / 1000 + 3600 })
    published = [{ kid: 'second', publicKey: newKey().publicKey }]
    clock += 11 * 60_000
    for (let turn = 0; turn < 3; turn += 1) expect(await reasonOf(token)).toBe('signature')
  })

  it('is one of so many that are kept, and of these keys alone', () => {
    const tokens = createVerifiedTokens(3)
    const [keys, others] = [{}, {}]
    for (const name of ['a', 'b', 'c', 'd']) tokens.keep(keys, name, { sub: name })
    const found = ['a', 'b', 'c', 'd'].map((name) => tokens.find(keys, name)?.['sub'])
    expect(found).toEqual([undefined, 'b', 'c', 'd'])
    expect(tokens.find(others, 'd')).toBeUndefined()
    tokens.keep(others, 'e', { sub: 'e' })
    expect(tokens.find(keys, 'd')).toBeUndefined()
  })
})

describe(createAdapterKeys, () => {
  it('looks for a key that it does not know at once, but not for each of many tokens that name one', async () => {
    await verify(jwt(claims()), use)
    const next = newKey()
    published.push({ kid: 'second', publicKey: next.publicKey })
    expect(await reasonOf(jwt(claims(), { kid: 'second' }, next.privateKey))).toBe(true)
    expect(asked).toBe(2)
    for (let round = 0; round < 20; round += 1) await reasonOf(jwt(claims(), { kid: `k${round}` }))
    expect(asked).toBe(6)
    clock += 11_000
    expect(await reasonOf(jwt(claims(), { kid: 'none' }))).toBe('signature')
    expect(asked).toBe(7)
  })

  it('goes on with the keys it has while the adapter is away, for an hour', async () => {
    answerStatus = 503
    await expect(verify(jwt(claims()), use)).rejects.toBeInstanceOf(SignInError)
    answerStatus = 200
    expect(await reasonOf(jwt(claims()))).toBe(true)
    answerStatus = 503
    clock += 30 * 60_000
    expect(await reasonOf(jwt(claims()))).toBe(true)
    expect(asked).toBe(3)
    clock += 31 * 60_000
    await expect(verify(jwt(claims()), use)).rejects.toMatchObject({ code: 'adapter_unavailable' })
  })

  it('forgets a key that is no longer published', async () => {
    expect(await reasonOf(jwt(claims()))).toBe(true)
    published = [{ kid: 'second', publicKey: newKey().publicKey }]
    clock += 11 * 60_000
    expect(await reasonOf(jwt(claims()))).toBe('signature')
  })
})

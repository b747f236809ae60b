// Keys that a program of the operator's holds: the whole chain signs through it, and fails closed when it does not sign.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../service/log.ts'
import { ConfigError } from './errors.ts'
import { openExternalKeys } from './provider/keys/signer/external-keys.ts'
import { createSignerProgram } from './provider/keys/signer/signer-program.ts'
import type { SigningAlg } from './provider/keys/signing-keys.ts'
import { headerOf } from './test-support/app.ts'
import { useChain } from './test-support/use-chain.ts'

/** What an operator would write around a KMS. How it is to behave stands in a file, read at each request. */
const PROGRAM = `
import { constants, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { appendFileSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
const [, , keyFile, alg, modeFile, startsFile] = process.argv
appendFileSync(startsFile, '.')
const key = createPrivateKey(readFileSync(keyFile))
const publicJwk = { ...createPublicKey(key).export({ format: 'jwk' }), alg, kid: 'hsm-1' }
const options = { ES256: { dsaEncoding: 'ieee-p1363' }, PS256: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 } }
const signature = (input) =>
  sign(alg === 'EdDSA' ? null : 'sha256', Buffer.from(input, 'base64url'), { key, ...options[alg] })
const say = (answer) => console.log(JSON.stringify(answer))
const modes = {
  works: ({ id, op, input }) => say(op === 'keys' ? { id, keys: [publicJwk] } : { id, signature: signature(input).toString('base64url') }),
  refuses: ({ id }) => say({ id, error: 'the card is locked' }),
  hangs: () => undefined,
  ends: () => process.exit(3),
  babbles: () => console.log('ready!'),
  forges: ({ id, op, input }) => op === 'keys' ? modes.works({ id, op }) : say({ id, signature: signature(Buffer.from('else').toString('base64url')).toString('base64url') }),
  'has none': ({ id }) => say({ id, keys: [] }),
  'is silent of keys': ({ id }) => say({ id }),
}
console.error('signer started')
createInterface({ input: process.stdin })
  .on('line', (line) => modes[readFileSync(modeFile, 'utf8')](JSON.parse(line)))
  .on('close', () => process.exit())
`

const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-signer-'))
const inFolder = (name: string) => join(folder, name)
const [program, mode, starts] = ['signer.mjs', 'mode', 'starts'].map(inFolder) as [
  string,
  string,
  string,
]
writeFileSync(program, PROGRAM)
const behave = (as: string) => writeFileSync(mode, as)

const PAIRS: Record<SigningAlg, () => { privateKey: { export(options: object): unknown } }> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
}

function commandFor(alg: SigningAlg): string[] {
  const file = inFolder(`${alg}.pem`)
  const pem = PAIRS[alg]().privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  writeFileSync(file, pem)
  return [process.execPath, program, file, alg, mode, starts]
}

const startCount = () => readFileSync(starts, 'utf8').length

beforeEach(() => behave('works'))
behave('works')
writeFileSync(starts, '')
afterAll(() => rmSync(folder, { recursive: true }))

describe('a chain whose keys a program holds', () => {
  const on = useChain({
    config: { keys: { alg: 'ES256', signer: { command: commandFor('ES256'), timeout: '2s' } } },
  })

  async function signIn() {
    const request = on.chain.app.request()
    return { request, visit: await on.chain.signIn(on.chain.newBrowser(), request.url) }
  }

  it('signs tokens by it, publishes its public key, and is asked by one process that lives on', async () => {
    const before = startCount()
    const keys = (await (await fetch(`${on.chain.url}/oauth2/jwks`)).json()) as JSONWebKeySet
    expect(keys.keys).toMatchObject([{ kid: 'hsm-1', alg: 'ES256', use: 'sig', kty: 'EC' }])
    expect(keys.keys[0]).not.toHaveProperty('d')
    const all = await Promise.all([signIn(), signIn(), signIn()])
    for (const { visit, request } of all) {
      const { body } = await on.chain.app.finish(visit, request)
      for (const token of [body.access_token, body.id_token]) {
        expect(headerOf(token)['kid']).toBe('hsm-1')
        await jwtVerify(token, createLocalJWKSet(keys))
      }
      expect((await on.chain.app.userinfo(body.access_token)).status).toBe(200)
    }
    expect(startCount()).toBe(before)
    expect(on.chain.events('signer.output')[0]).toMatchObject({ line: 'signer started' })
  })

  it('an ID token of its key is a hint at logout', async () => {
    const { visit, request } = await signIn()
    const { body } = await on.chain.app.finish(visit, request)
    const url = new URL('/connect/logout', on.chain.url)
    url.searchParams.set('id_token_hint', body.id_token)
    expect((await fetch(url)).status).toBe(200)
    const [head, payload] = body.id_token.split('.')
    url.searchParams.set('id_token_hint', `${head}.${payload}.${'A'.repeat(86)}`)
    expect((await fetch(url)).status).toBe(400)
  })

  describe.each(['refuses', 'hangs', 'ends', 'babbles', 'forges'])('that %s', (behaviour) => {
    afterEach(() => behave('works'))

    it('gives server_error and no token; once it signs again so does the chain, and the code stays used (F48)', async () => {
      const { visit, request } = await signIn()
      behave(behaviour)
      const failed = await on.chain.app.finish(visit, request)
      expect([failed.status, failed.body['error']]).toEqual([500, 'server_error'])
      expect(Object.keys(failed.body).toSorted()).toEqual(['error', 'error_description'])
      expect(JSON.stringify(on.chain.logLines.slice(-10))).toMatch(/The signer /)
      behave('works')
      expect((await on.chain.app.finish(visit, request)).body['error']).toBe('invalid_grant')
      const again = await signIn()
      expect((await on.chain.app.finish(again.visit, again.request)).status).toBe(200)
    })
  })
})

describe('at the start', () => {
  const log = createLog({ level: 'error', pretty: false, destination: { write: () => undefined } })

  async function open(command: readonly string[], alg: SigningAlg = 'ES256') {
    const opened = createSignerProgram({ command, timeoutMs: 2000, log })
    try {
      return await openExternalKeys(opened, alg)
    } finally {
      opened.close()
    }
  }

  const faultOf = async (command: readonly string[], alg?: SigningAlg) => {
    const error = await open(command, alg).catch((refused: unknown) => refused)
    expect(error).toBeInstanceOf(ConfigError)
    const [fault] = (error as ConfigError).faults
    expect(fault?.path).toBe('keys.signer')
    return fault?.message
  }

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as SigningAlg[])('%s works', async (alg) => {
    expect((await open(commandFor(alg), alg)).keys).toMatchObject([{ kid: 'hsm-1', alg }])
  })

  it.each([
    ['refuses', 'The signer refuses: the card is locked'],
    ['ends', 'The signer ended with 3'],
    ['babbles', 'The signer answered what nobody had asked'],
    ['forges', 'The signer gave something that is no signature by the key it was asked for'],
    ['has none', 'expected a key for ES256'],
    ['is silent of keys', 'expected { "keys": [ … ] } for { "op": "keys" }'],
  ])('F71 one that %s is a ConfigError at keys.signer', async (behaviour, message) => {
    behave(behaviour)
    expect(await faultOf(commandFor('ES256'))).toBe(message)
  })

  it('F71 a program that is not there, and one with keys for another algorithm', async () => {
    expect(await faultOf([inFolder('nothing')])).toMatch(/^The signer can not be started: .*ENOENT/)
    expect(await faultOf(commandFor('EdDSA'))).toBe('expected a key for ES256')
  })
})

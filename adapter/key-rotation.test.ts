// Keys that change while people sign in: what apps see of it, and what becomes of tokens that are out.
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { describe, expect, it } from 'vitest'
import type { KeyRing } from './provider/keys/ring/key-ring.ts'
import { openKeys } from './provider/keys/open-keys.ts'
import { publicJwks } from './provider/keys/signing-keys.ts'
import { headerOf } from './test-support/app.ts'
import { useChain, useClock } from './test-support/use-chain.ts'

const on = useChain({ storage: 'sqlite', config: { keys: { alg: 'ES256' } } })
const clock = useClock()

const ring = () => on.chain.secrets.keyRing as KeyRing
const kidOf = (token: unknown) => headerOf(token as string)['kid']
const signer = () => ring().snapshot().keys[0]?.kid

async function signIn() {
  const request = on.chain.app.request()
  const visit = await on.chain.signIn(on.chain.newBrowser(), request.url)
  return (await on.chain.app.finish(visit, request)).body
}

const fetchKeys = () => fetch(`${on.chain.url}/oauth2/jwks`)
const keysNow = async () => (await (await fetchKeys()).json()) as JSONWebKeySet
const published = async () => (await keysNow()).keys.map(({ kid }) => kid)

async function accepts(keys: JSONWebKeySet, token: string): Promise<boolean> {
  const verified = await jwtVerify(token, createLocalJWKSet(keys)).catch(() => undefined)
  return verified !== undefined
}

describe('a rotation', () => {
  it('the keys may be kept for five minutes, which is less than a new one waits', async () => {
    const { headers } = await fetchKeys()
    expect(headers.get('cache-control')).toBe('public, max-age=300')
  })

  it('F70 C42 no token is refused by an app whose keys are five minutes old, from whichever process it has them', async () => {
    const { config, driver, log, secrets } = on.chain
    // Another process, which sees each change a minute late.
    const late = await openKeys({ config, driver, sealing: secrets.sealing, log, now: Date.now })
    const copies: JSONWebKeySet[] = []
    const signers = new Set<unknown>()
    await ring().rotate(false)
    for (let minute = 0; minute <= 18; minute += 1) {
      await ring().settle()
      copies.push(publicJwks({ keys: late.signingKeys.keys }) as JSONWebKeySet)
      const { access_token: access, id_token: id } = await signIn()
      signers.add(kidOf(access))
      const fiveMinutesOld = copies.at(-6) ?? copies[0]
      for (const keys of [fiveMinutesOld as JSONWebKeySet, await keysNow()])
        for (const token of [access, id])
          expect(await accepts(keys, token), `minute ${minute}`).toBe(true)
      await late.keyRing?.refresh()
      clock.advance(60)
    }
    expect(signers.size).toBe(2)
    expect(late.signingKeys.keys[0]?.kid).toBe(signer())
  })

  it('C42 what the key before signed is good until it expires, and the key is published as long', async () => {
    const before = await signIn()
    await ring().rotate(true)
    expect(await published()).toEqual(
      ring()
        .snapshot()
        .keys.map(({ kid }) => kid),
    )
    const after = await signIn()
    expect(kidOf(after.access_token)).toBe(signer())
    expect(kidOf(before.access_token)).not.toBe(signer())
    for (const { access_token: token } of [before, after]) {
      expect((await on.chain.app.userinfo(token)).status).toBe(200)
      expect(await accepts(await keysNow(), token)).toBe(true)
    }
    clock.advance(9 * 86_400)
    await ring().settle()
    expect(await published()).not.toContain(kidOf(before.access_token))
  })

  it('A52 what a revoked key signed is refused from then on, and another key signs', async () => {
    const before = await signIn()
    const kid = kidOf(before.access_token) as string
    expect((await on.chain.app.userinfo(before.access_token)).status).toBe(200)
    await ring().revoke(kid)
    expect((await on.chain.app.userinfo(before.access_token)).status).toBe(401)
    expect(await published()).not.toContain(kid)
    const after = await signIn()
    expect((await on.chain.app.userinfo(after.access_token)).status).toBe(200)
  })
})

describe('another algorithm in the configuration', () => {
  it('F70 is published first, and signs ten minutes later; what was signed before stays good', async () => {
    const { chain } = on
    const before = await signIn()
    Object.assign(chain.config.keys, { alg: 'PS256' })
    // Also an app that asks for it by name has to wait.
    Object.assign(chain.config.clients['client']?.access_token ?? {}, { alg: 'PS256' })
    await chain.restart()
    await ring().settle()
    expect((await keysNow()).keys.map(({ alg }) => alg)).toContain('PS256')
    const waiting = await signIn()
    for (const token of [waiting.access_token, waiting.id_token])
      expect(headerOf(token)['alg']).toBe('ES256')
    clock.advance(600)
    await ring().settle()
    // The provider has not been built again yet: it goes on as its metadata say.
    expect(headerOf((await signIn()).id_token)['alg']).toBe('ES256')
    await chain.restart()
    const after = await signIn()
    for (const token of [after.access_token, after.id_token])
      expect(headerOf(token)['alg']).toBe('PS256')
    expect(await accepts(await keysNow(), before.access_token)).toBe(false)
    expect((await keysNow()).keys.map(({ kid }) => kid)).toContain(kidOf(before.access_token))
  })
})

it('keys that we make are for one algorithm: an app that wants another stops the start', async () => {
  const { chain } = on
  const asked = chain.config.clients['second-client']?.access_token as { alg?: string }
  asked.alg = 'EdDSA'
  try {
    await expect(chain.restart()).rejects.toMatchObject({
      faults: [
        {
          path: 'clients.second-client.access_token.alg',
          message:
            'Keys that we make are for keys.alg alone; another one takes keys.file or keys.signer',
        },
      ],
    })
  } finally {
    delete asked.alg
    await chain.restart()
  }
})

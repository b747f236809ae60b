import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../../errors.ts'
import { createMemoryDriver } from '../drivers/memory.ts'
import { hashed } from '../provider/artefact-key.ts'
import { createIdentities } from '../sessions/identities.ts'
import { createUnitOfWork } from '../unit-of-work.ts'
import { injectLatency } from '../testing/inject-latency.ts'
import { createLoginTransactions } from '../tokens/login-transactions.ts'
import { loadOrCreateSealed } from './sealed-records.ts'
import { createSealing } from './sealing.ts'

const unusable = (error: unknown) =>
  error instanceof StorageError && error.code === 'unusable' && /sealing key/.test(error.message)

describe(createSealing, () => {
  const [first, second] = [randomBytes(32), randomBytes(32)]
  const sealing = createSealing([first])

  it('gives the text back, and shows nothing of it', () => {
    const text = 'ein Geheimnis ✓'
    const sealed = sealing.seal(text, 'keys')
    expect(sealed).toMatch(/^v1\.[\w-]{8}\.[\w-]{16}\.[\w-]+$/)
    expect(Buffer.from(sealed.split('.')[3] ?? '', 'base64url').toString()).not.toContain(
      'Geheimnis',
    )
    expect(sealing.unseal(sealed, 'keys')).toBe(text)
    expect(sealing.seal(text, 'keys')).not.toBe(sealed)
  })
  it('opens with any key it has, and seals with the first', () => {
    const old = sealing.seal('text', 'keys')
    const rotated = createSealing([second, first])
    expect(rotated.unseal(old, 'keys')).toBe('text')
    expect(createSealing([second]).unseal(rotated.seal('text', 'keys'), 'keys')).toBe('text')
  })
  it('opens nothing in another context, with another key, or changed', () => {
    const sealed = sealing.seal('text', 'keys')
    expect(() => sealing.unseal(sealed, 'cookies')).toThrow(/changed, or belongs elsewhere/)
    expect(() => createSealing([second]).unseal(sealed, 'keys')).toThrow(
      /not configured\. Put the sealing key/,
    )
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1)
      const isSameBytes = Buffer.from(changed.split('.')[3] ?? '', 'base64url').equals(
        Buffer.from(sealed.split('.')[3] ?? '', 'base64url'),
      )
      if (
        isSameBytes &&
        changed.split('.').slice(0, 3).join() === sealed.split('.').slice(0, 3).join()
      )
        continue
      expect(() => sealing.unseal(changed, 'keys'), `position ${at}`).toThrow(StorageError)
    }
    for (const text of ['', 'v1', 'v1...', 'v2.a.b.c', sealed.slice(0, -4)])
      expect(() => sealing.unseal(text, 'keys')).toThrow(StorageError)
  })
  it('wants keys of 32 bytes', () => {
    expect(() => createSealing([])).toThrow(/32 bytes/)
    expect(() => createSealing([randomBytes(16)])).toThrow(/32 bytes/)
  })
})

describe(loadOrCreateSealed, () => {
  it('makes the value once, although many start at the same time', async () => {
    const driver = injectLatency(createMemoryDriver())
    const sealing = createSealing([randomBytes(32)])
    const create = async () => ({ secret: Math.random() })
    const values = await Promise.all(
      Array.from({ length: 20 }, () => loadOrCreateSealed(driver, sealing, 'jwks', create)),
    )
    expect(new Set(values.map((value) => JSON.stringify(value))).size).toBe(1)
    expect(await loadOrCreateSealed(driver, sealing, 'jwks', create)).toEqual(values[0])
  })
  it('says what to do when the sealing key is another', async () => {
    const driver = createMemoryDriver()
    await loadOrCreateSealed(driver, createSealing([randomBytes(32)]), 'jwks', async () => 'value')
    const again = loadOrCreateSealed(
      driver,
      createSealing([randomBytes(32)]),
      'jwks',
      async () => 'other',
    )
    await expect(again).rejects.toSatisfy(unusable)
  })
})

describe('records', () => {
  it('a login transaction is taken once, by its state, which is not stored', async () => {
    const driver = createMemoryDriver()
    const transactions = createLoginTransactions(driver)
    const transaction = {
      interactionUid: 'i',
      upstream: 'u',
      nonce: 'n',
      codeVerifier: 'v',
      redirect_uri: 'r',
      flowId: 'f',
      createdAt: 1,
    }
    await transactions.insert('the-state', transaction, 10)
    expect(await driver.get('LoginTransaction:the-state')).toBeUndefined()
    expect(await transactions.take('another')).toBeUndefined()
    expect(await transactions.take('the-state')).toEqual(transaction)
    expect(await transactions.take('the-state')).toBeUndefined()
  })
  it('an identity is kept beside its session', async () => {
    const identities = createIdentities(createUnitOfWork(createMemoryDriver()).driver)
    const identity = {
      accountId: 'a',
      upstream: 'u',
      upstreamIssuer: 'https://u',
      claims: { name: 'A' },
    }
    await identities.save('uid', identity, 10)
    expect(await identities.find('uid')).toEqual(identity)
    await identities.delete('uid')
    expect(await identities.find('uid')).toBeUndefined()
  })
  it('an identity that ended is not brought back by a request that had read it before', async () => {
    const driver = createMemoryDriver()
    const identities = createIdentities(createUnitOfWork(driver).driver)
    await identities.save(
      'uid',
      { accountId: 'a', upstream: 'u', upstreamIssuer: 'https://u', claims: {} },
      10,
    )
    const found = await identities.find('uid')
    if (!found) throw new Error('Expected the identity')
    const record = await driver.get(`Identity:${hashed('uid')}`)
    await identities.renew('uid', found, 1000)
    const renewed = await driver.get(`Identity:${hashed('uid')}`)
    expect(renewed?.expiresAt).toBeGreaterThan((record?.expiresAt ?? 0) + 900_000)
    const again = await identities.find('uid')
    await identities.delete('uid')
    await identities.renew('uid', again ?? found, 1000)
    expect(await identities.find('uid')).toBeUndefined()
  })
})

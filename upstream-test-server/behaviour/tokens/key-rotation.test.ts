import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createControlClient } from '../../control-client.ts'
import {
  authorizationRequest,
  createTestBrowser,
  startForTest,
} from '../../test-support/test-browser.ts'
import { publishedKeys, signerOf } from '../../test-support/signer-of.ts'
import { refusedAt, tokensOf, useControl } from '../../test-support/use-control.ts'

const on = useControl()

const published = () => publishedKeys(on.server.issuer)

const kidOf = (token = '') =>
  (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string })
    .kid

describe('the signing keys', () => {
  it('a next key is published before it is used, and then used', async () => {
    const before = await on.control.keys()
    const { active, next } = await on.control.publishNextKey()
    expect(active).toBe(before.active)
    expect((await published()).map(({ kid }) => kid)).toEqual(
      expect.arrayContaining([active, next]),
    )
    const early = await tokensOf(on.server.issuer)
    expect([kidOf(early.id_token), await signerOf(on.server.issuer, early.id_token)]).toEqual([
      active,
      active,
    ])
    await on.control.rotateKeys({ publishFirst: true })
    const late = await tokensOf(on.server.issuer)
    expect([kidOf(late.id_token), await signerOf(on.server.issuer, late.id_token)]).toEqual([
      next,
      next,
    ])
    expect(await signerOf(on.server.issuer, early.id_token)).toBe(active)
  })

  it('are swapped at once, the old one withdrawn', async () => {
    const before = await tokensOf(on.server.issuer)
    const old = kidOf(before.id_token)
    const known = new Set((await published()).map(({ kid }) => kid))
    const { active } = await on.control.rotateKeys({ old: 'withdrawn' })
    expect(known.has(active)).toBe(false)
    expect((await published()).map(({ kid }) => kid)).not.toContain(old)
    const after = await tokensOf(on.server.issuer)
    expect(await signerOf(on.server.issuer, after.id_token)).toBe(active)
    expect(await signerOf(on.server.issuer, before.id_token)).toBeUndefined()
  })

  it('say so when the next key was to be published first and is not', async () => {
    await expect(on.control.rotateKeys({ publishFirst: true })).rejects.toThrow('publishFirst')
  })

  it('shows no private member of any key, whatever became of it', async () => {
    await on.control.publishNextKey()
    const members = new Set((await published()).flatMap((key) => Object.keys(key)))
    expect([...members].toSorted()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use'])
  })

  it('let a hint be understood that an earlier key has signed', async () => {
    await on.control.rotateKeys()
    const browser = createTestBrowser(on.server.issuer)
    const { id_token: hint } = await tokensOf(on.server.issuer, 'ada', {}, browser)
    await on.control.rotateKeys({ old: 'withdrawn' })
    const request = { prompt: 'none', id_token_hint: hint }
    const { url } = await browser.open(authorizationRequest(on.server.issuer, request).url)
    expect(url.searchParams.get('code')).not.toBeNull()
    const other = await refusedAt(on.server.issuer, 'testuser', { id_token_hint: hint })
    expect(other.searchParams.get('error')).toBe('login_required')
  })

  it('outlast a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'upstream-keys-'))
    const databaseFile = join(folder, 'upstream.sqlite')
    const first = await startForTest({ databaseFile, controlPort: 0 })
    const { active } = await createControlClient(String(first.controlUrl)).rotateKeys()
    await first.close()
    const second = await startForTest({ databaseFile, port: first.port })
    const { id_token: token } = await tokensOf(second.issuer)
    expect(await signerOf(second.issuer, token)).toBe(active)
    await second.close()
    await rm(folder, { recursive: true })
  })
})

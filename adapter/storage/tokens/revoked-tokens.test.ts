import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { createMemoryDriver } from '../drivers/memory.ts'
import { createSqliteDriver } from '../drivers/sqlite.ts'
import { createRevokedTokens } from './revoked-tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'revoked-tokens-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe.each([
  ['memory', () => createMemoryDriver({})],
  ['sqlite', () => createSqliteDriver({ file: join(folder, `${Math.random()}.sqlite`) })],
] as const)('revoked tokens in %s', (_name, open) => {
  it('knows those that were added, each by its whole id', async () => {
    const revoked = createRevokedTokens(open())
    await revoked.add('random.grant.session', 60)
    expect(await revoked.has('random.grant.session')).toBe(true)
    expect(await revoked.has('random.grant')).toBe(false)
    expect(await revoked.has('')).toBe(false)
  })

  it('F68 keeps the id as a hash only, and an hour longer than the token would live: clocks are set back', async () => {
    const driver = open()
    const set = vi.spyOn(driver, 'set')
    await createRevokedTokens(driver).add('random.grant.session', 60)
    const [key, value, ttlSeconds] = set.mock.calls[0] ?? []
    expect(key).toMatch(/^RevokedToken:[\w-]{43}$/)
    expect([value, ttlSeconds]).toEqual([true, 3660])
  })

  it('50 that revoke at once are all answered', async () => {
    const revoked = createRevokedTokens(open())
    await Promise.all(Array.from({ length: 50 }, () => revoked.add('one', 60)))
    expect(await revoked.has('one')).toBe(true)
  })
})

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { knownAdminToken, openAdminToken, type AdminTokenOptions } from './admin-token.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
let data: string
beforeEach(() => void (data = mkdtempSync(join(tmpdir(), 'admin-token-'))))
afterEach(() => rmSync(data, { recursive: true }))

function options(
  env: AdminTokenOptions['env'] = {},
  token?: string,
  folder = data,
): AdminTokenOptions {
  const admin = { host: '127.0.0.1', port: 9010, ...(token === undefined ? {} : { token }) }
  return { config: { admin, data: folder }, env }
}

describe(openAdminToken, () => {
  it('makes one on first start, for nobody but the user of the process, and keeps it', async () => {
    const token = await openAdminToken(options({}, undefined, join(data, 'new')))
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const file = join(data, 'new', 'admin.token')
    expect(readFileSync(file, 'utf8')).toBe(`${token}\n`)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(await openAdminToken(options({}, undefined, join(data, 'new')))).toBe(token)
  })

  it('of several processes that start at once all get the same', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => openAdminToken(options())))
    expect(new Set(all).size).toBe(1)
  })

  it('the variable wins over the setting, and both over the file; then none is made', async () => {
    const variable = { AUTH_ADAPTER_ADMIN_TOKEN: TOKEN }
    expect(await openAdminToken(options(variable, 'b'.repeat(32)))).toBe(TOKEN)
    expect(await openAdminToken(options({}, 'b'.repeat(32)))).toBe('b'.repeat(32))
    expect(knownAdminToken(options())).toBeUndefined()
  })

  it('in production none is made and none is read from the file: without a given one there is no API', async () => {
    writeFileSync(join(data, 'admin.token'), TOKEN)
    expect(await openAdminToken(options({ NODE_ENV: 'production' }))).toBeUndefined()
    expect(knownAdminToken(options({ NODE_ENV: 'production' }))).toBeUndefined()
    const given = { NODE_ENV: 'production', AUTH_ADAPTER_ADMIN_TOKEN: TOKEN }
    expect(await openAdminToken(options(given))).toBe(TOKEN)
  })

  it.each([
    ['short', 'short', 'AUTH_ADAPTER_ADMIN_TOKEN'],
    ['with a space', `${TOKEN} ${TOKEN}`, 'AUTH_ADAPTER_ADMIN_TOKEN'],
  ])('refuses one that is %s, and does not repeat it', async (_case, token, path) => {
    const refused = expect(openAdminToken(options({ AUTH_ADAPTER_ADMIN_TOKEN: token }))).rejects
    await refused.toMatchObject({ name: 'ConfigError', faults: [{ path }] })
    await refused.not.toThrow(token)
  })

  it('refuses a short one of the configuration likewise', async () => {
    await expect(openAdminToken(options({}, 'short'))).rejects.toMatchObject({
      faults: [
        { path: 'admin.token', message: expect.stringContaining('Expected at least 32') as string },
      ],
    })
  })

  it('names the file that holds something else, and the remedy', async () => {
    const file = join(data, 'admin.token')
    writeFileSync(file, 'not a token')
    await expect(openAdminToken(options())).rejects.toMatchObject({
      name: 'StorageError',
      code: 'unusable',
      message: `Cannot use the admin token in ${file}: it holds no token. Delete it, or give AUTH_ADAPTER_ADMIN_TOKEN`,
    })
  })

  it('names the folder that can not be written', async () => {
    writeFileSync(join(data, 'a-file'), '')
    await expect(
      openAdminToken(options({}, undefined, join(data, 'a-file'))),
    ).rejects.toMatchObject({
      code: 'unusable',
      message: expect.stringMatching(/EEXIST|ENOTDIR/) as string,
    })
  })
})

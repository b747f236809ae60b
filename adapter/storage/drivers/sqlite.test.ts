import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { StorageError } from '../../errors.ts'
import { describeDriver } from '../driver.conformance.ts'
import { describeRaces } from '../race.conformance.ts'
import { describeRecords } from '../record.conformance.ts'
import { createSqliteDriver } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const path = (name: string) => join(folder, name)

describeDriver('sqlite', {
  open: async (now) => createSqliteDriver({ file: path('contract.sqlite'), now }),
})
describeRecords('sqlite', {
  open: async (now) => createSqliteDriver({ file: path('records.sqlite'), now }),
})
describeRaces('F39 two processes on one SQLite file', () => ({
  driver: 'sqlite',
  file: path('races.sqlite'),
}))

const withCode = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof StorageError && error.code === code && message.test(error.message)

describe('sqlite file', () => {
  it('is made with its folder, for its owner only', async () => {
    const file = path('new/folder/a.sqlite')
    const driver = createSqliteDriver({ file })
    await driver.set('k', 1, 10)
    for (const each of [file, `${file}-wal`, `${file}-shm`])
      expect(statSync(each).mode & 0o777, each).toBe(0o600)
    await driver.close()
  })
  it('keeps its records when the process ends', async () => {
    const file = path('kept.sqlite')
    const before = createSqliteDriver({ file })
    await before.set('k', 'kept', 10)
    await before.close()
    const after = createSqliteDriver({ file })
    expect((await after.get('k'))?.value).toBe('kept')
    await after.close()
  })
  it('that is no database is refused by name, with a remedy', () => {
    const file = path('text.sqlite')
    writeFileSync(file, 'this is not a database, '.repeat(100))
    expect(() => createSqliteDriver({ file })).toThrow(
      /text\.sqlite": it is not a SQLite database\. Restore it from a backup/,
    )
    expect(() => createSqliteDriver({ file })).toThrow(StorageError)
  })
  it('that is damaged inside is refused by name, with a remedy', async () => {
    const file = path('damaged.sqlite')
    const driver = createSqliteDriver({ file })
    for (let n = 0; n < 500; n++) await driver.set(`k${n}`, 'x'.repeat(200), 100)
    await driver.close()
    const bytes = readFileSync(file)
    bytes.fill(0x5a, 4096 * 3, 4096 * 12)
    writeFileSync(file, bytes)
    expect(() => createSqliteDriver({ file })).toThrow(
      /damaged\.sqlite": .*damaged.*Restore it from a backup/,
    )
  })
  it('that was cut short is refused, or is empty', async () => {
    const file = path('short.sqlite')
    const driver = createSqliteDriver({ file })
    for (let n = 0; n < 500; n++) await driver.set(`k${n}`, 'x'.repeat(200), 100)
    await driver.close()
    truncateSync(file, 10_000)
    expect(() => createSqliteDriver({ file })).toThrow(/short\.sqlite": .*damaged/)
  })
  it('of a newer release is refused and left as it is', () => {
    const file = path('newer.sqlite')
    const newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    expect(() => createSqliteDriver({ file })).toThrow(
      /version 99, this release knows 1\. Start the release that wrote it/,
    )
  })
  it('in a place that can not be written is refused with a remedy', () => {
    expect(() => createSqliteDriver({ file: folder })).toThrow(/can not be opened\. Give this user/)
    const file = path('text-file')
    writeFileSync(file, '')
    chmodSync(file, 0o600)
    expect(() => createSqliteDriver({ file: join(file, 'a.sqlite') })).toThrow(
      /Give this user the right to read and write/,
    )
  })
  it('may be opened by several at once while it is made', async () => {
    const drivers = await Promise.all(
      Array.from({ length: 5 }, async () => createSqliteDriver({ file: path('together.sqlite') })),
    )
    expect(await Promise.all(drivers.map((driver, n) => driver.insert('k', n, 10)))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
    await Promise.all(drivers.map((driver) => driver.close()))
  })
})

describe('sqlite under trouble', () => {
  it('F22 a lock held by another process: rejects within 600 ms, blocks nothing meanwhile, works when it is free', async () => {
    const file = path('locked.sqlite')
    const driver = createSqliteDriver({ file })
    await driver.set('k', 'v', 100)
    const shell = new DatabaseSync(file)
    shell.exec('BEGIN IMMEDIATE')
    const started = performance.now()
    let ticks = 0
    const ticking = setInterval(() => ticks++, 10)
    await expect(driver.set('k', 'w', 100)).rejects.toSatisfy(
      withCode('unavailable', /locked\.sqlite": another process holds its lock/),
    )
    clearInterval(ticking)
    expect(performance.now() - started).toBeLessThan(600)
    expect(ticks).toBeGreaterThan(20)
    expect((await driver.get('k'))?.value).toBe('v')
    const waiting = driver.set('k', 'x', 100)
    await delay(100)
    shell.exec('ROLLBACK')
    await waiting
    expect((await driver.get('k'))?.value).toBe('x')
    shell.close()
    await driver.close()
  })
  it('F20 a disk that takes no more: writes reject, reads go on', async () => {
    const file = path('full.sqlite')
    const script = `
      import { createSqliteDriver } from ${JSON.stringify(new URL('sqlite.ts', import.meta.url).href)}
      const driver = createSqliteDriver({ file: ${JSON.stringify(file)} })
      const write = (n) => driver.set('k' + n, 'x'.repeat(5000), 100)
      let failure
      for (let n = 0; !failure && n < 1000; n++) await write(n).catch((error) => { failure = error })
      console.log(JSON.stringify({ code: failure?.code, message: failure?.message, read: (await driver.get('k0'))?.value.length }))`
    const limited = `trap '' XFSZ; ulimit -f 512; exec "$0" --input-type=module -e "$1"`
    const { stdout } = await promisify(execFile)('bash', ['-c', limited, process.execPath, script])
    expect(JSON.parse(stdout)).toEqual({
      code: 'unavailable',
      message: expect.stringMatching(/full\.sqlite": the disk (is full|failed to read or write)/),
      read: 5000,
    })
  })
  it('F68 sweeps expired records, members and leases out of the file; a clock set back brings none again', async () => {
    const file = path('swept.sqlite')
    let skewMs = 0
    const driver = createSqliteDriver({ file, now: () => Date.now() + skewMs, sweepSeconds: 0.05 })
    await driver.setAll(
      Array.from({ length: 500 }, (_, n) => ({ key: `k${n}`, value: 'v', ttlSeconds: 10 })),
    )
    await driver.set('kept', 'v', 100)
    await driver.add('i', 'm', 10)
    await driver.lease('l', 'o', 10)
    skewMs = 20_000
    const reader = new DatabaseSync(file)
    const rows = (table: string) =>
      (reader.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
    await expect.poll(() => [rows('records'), rows('members'), rows('leases')]).toEqual([1, 0, 0])
    skewMs = 0
    expect(await driver.get('k1')).toBeUndefined()
    reader.close()
    await driver.close()
  })
})

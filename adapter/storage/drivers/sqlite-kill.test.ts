// F38: whatever moment a process is killed at, the file opens clean, and what it had acknowledged is kept.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { openSqliteFile } from './sqlite-file.ts'
import { createSqliteDriver } from './sqlite.ts'

const KILLS = process.env['AUTH_ADAPTER_NIGHTLY'] === '1' ? 500 : 15
const WORKER = fileURLToPath(new URL('../testing/write-worker.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Resolves with the last number that the process acknowledged before it was killed in the middle of its work. */
async function killInMidWrite(file: string, first: number): Promise<number> {
  const worker = spawn(process.execPath, [WORKER, file, String(first)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  worker.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await once(worker.stdout, 'data')
  await delay(Math.random() * 40)
  worker.kill('SIGKILL')
  await once(worker, 'close')
  // The last line may be cut.
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
}

it(
  `F38 killed ${KILLS} times in mid-write: clean, and every acknowledged consume is kept`,
  async () => {
    const file = join(folder, 'killed.sqlite')
    let next = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      const first = next
      const last = await killInMidWrite(file, first)
      expect(last).toBeGreaterThanOrEqual(first)
      next = last + 100
      const driver = createSqliteDriver({ file })
      for (let number = first; number <= last; number += 1)
        expect(await driver.consume(`record ${number}`), `record ${number}`).toBe(false)
      expect((await driver.get(`record ${last}`))?.consumedAt).toBeTypeOf('number')
      await driver.close()
    }
    const database = new DatabaseSync(file)
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
  },
  10_000 + KILLS * 1500,
)

it('F38 a commit is on the disk before it is acknowledged', () => {
  const database = openSqliteFile(join(folder, 'durable.sqlite'))
  const FULL = 2
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: FULL })
  database.close()
})

// Fifty keepers in two processes look at the same keys at the same moment, as when all instances find a rotation due.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startRedis } from '../../../../scripts/redis-server.ts'
import type { StorageConfig } from '../../../config/schema.ts'
import type { KeepAnswer, KeepQuestion } from './test-support/keep-worker.ts'

const KEEPERS = 25
const ROUNDS = 12
const STEP_MS = 300_000

const endings: (() => unknown)[] = []
afterAll(async () => {
  for (const end of endings.toReversed()) await end()
})

const STORES: Record<string, () => Promise<StorageConfig>> = {
  async sqlite() {
    const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-keepers-'))
    endings.push(() => rmSync(folder, { recursive: true, force: true }))
    return { driver: 'sqlite', file: join(folder, 'adapter.sqlite') }
  },
  async redis() {
    const server = await startRedis()
    endings.push(() => server.stop())
    return { driver: 'redis', url: server.url, prefix: 'keepers:' }
  },
}

async function ask(worker: ChildProcess, question: KeepQuestion): Promise<KeepAnswer> {
  worker.send(question)
  const [said] = (await once(worker, 'message')) as [KeepAnswer]
  return said
}

async function askBoth(workers: readonly ChildProcess[], question: KeepQuestion) {
  const said = await Promise.all(workers.map((worker) => ask(worker, question)))
  return {
    changes: said.flatMap(({ changes }) => changes),
    signs: new Set(said.flatMap(({ signs }) => signs)),
  }
}

describe.each(Object.keys(STORES))('keepers of two processes on %s', (store) => {
  it('F70 what is due is done once, and all sign with the same key', async () => {
    const config = (await STORES[store]?.()) as StorageConfig
    const worker = () =>
      fork(new URL('test-support/keep-worker.ts', import.meta.url), { execArgv: [] })
    const workers = [worker(), worker()]
    endings.push(() => workers.forEach((each) => each.kill('SIGKILL')))
    let now = Date.now()
    const started = await askBoth(workers, { config, keepers: KEEPERS, now })
    expect(started.signs.size).toBe(1)

    const done: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      now += STEP_MS
      const { changes } = await askBoth(workers, { now, at: Date.now() + 5 })
      done.push(...changes)
      // Those that did not hold the lease learn with their next look what was done.
      const after = await askBoth(workers, { now, at: 0 })
      expect(after).toMatchObject({ changes: [] })
      expect(after.signs.size).toBe(1)
    }
    expect(done.toSorted()).toEqual([...new Set(done)].toSorted())
    expect(done.filter((change) => change.startsWith('activated')).length).toBeGreaterThan(1)
    expect(done.filter((change) => change.startsWith('removed')).length).toBeGreaterThan(0)
  }, 30_000)
})

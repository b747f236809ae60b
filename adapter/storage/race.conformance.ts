// Exactly once, seen from outside: one code, refresh token, state or jti, used by many at the same moment in several
// processes. Each contestant is a whole process with its own driver (testing/race-worker.ts).
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StorageConfig } from '../config/schema.ts'
import { fillRecord, races } from './testing/races.ts'
import type { RaceName } from './testing/races.ts'
import { openDriver } from './open-driver.ts'
import type { Driver } from './driver.ts'
import { silentLog } from './testing/silent-log.ts'

const PROCESSES = 2
const PARALLEL = 50
/** Of each race: a record, and 50 who use it. */
export const ROUNDS = process.env['AUTH_ADAPTER_NIGHTLY'] === '1' ? 1000 : 20
const ROUND_TIMEOUT_MS = 400

async function ask(worker: ChildProcess, question: object): Promise<number> {
  worker.send(question)
  const [{ winners }] = (await once(worker, 'message')) as [{ winners: number }]
  return winners
}

/** `config` is called once the suite runs, when its servers are there. */
export function describeRaces(name: string, config: () => StorageConfig): void {
  describe(`races between ${PROCESSES} processes: ${name}`, () => {
    let workers: ChildProcess[]
    let driver: Driver

    beforeAll(async () => {
      driver = await openDriver(config(), { now: Date.now, log: silentLog })
      workers = Array.from({ length: PROCESSES }, () =>
        fork(new URL('testing/race-worker.ts', import.meta.url), { execArgv: [] }),
      )
      await Promise.all(workers.map((worker) => ask(worker, { config: config() })))
    }, 20_000)
    afterAll(async () => {
      for (const worker of workers) worker.kill('SIGKILL')
      await driver.close()
    })

    it.each(Object.keys(races) as RaceName[])(
      '%s: exactly one wins',
      async (race) => {
        const winners: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          const id = `${race} ${round} ${Math.random()}`
          await fillRecord(driver, race, id)
          const at = Date.now() + 3
          const wins = workers.map((worker) =>
            ask(worker, { race, id, at, parallel: PARALLEL / PROCESSES }),
          )
          winners.push((await Promise.all(wins)).reduce((sum, each) => sum + each, 0))
        }
        expect(winners).toEqual(Array.from({ length: ROUNDS }, () => 1))
      },
      5000 + ROUNDS * ROUND_TIMEOUT_MS,
    )
  })
}

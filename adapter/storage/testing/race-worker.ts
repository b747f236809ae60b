// For tests: one of the processes in a race. Told the storage settings first, then one race after the other.
import type { StorageConfig } from '../../config/schema.ts'
import type { Driver } from '../driver.ts'
import { injectLatency } from './inject-latency.ts'
import { openDriver } from '../open-driver.ts'
import { countWinners } from './races.ts'
import type { RaceName } from './races.ts'
import { silentLog } from './silent-log.ts'

type Question =
  | { config: StorageConfig }
  | { race: RaceName; id: string; at: number; parallel: number }

let driver: Driver | undefined

async function answer(question: Question): Promise<number> {
  if ('config' in question) {
    driver = injectLatency(await openDriver(question.config, { now: Date.now, log: silentLog }))
    return 0
  }
  if (!driver) throw new Error('Cannot race before the settings are known')
  while (Date.now() < question.at);
  return countWinners(driver, question.race, question.id, question.parallel)
}

process.on('message', (question: Question) => {
  void answer(question).then((winners) => process.send?.({ winners }))
})
process.on('disconnect', () => process.exit())

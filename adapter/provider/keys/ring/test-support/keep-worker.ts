// For tests: one of the processes that keep the same keys, with many keepers in it. Told the store first; then, round after
// round, what time it is and when to look. Answers with the changes that its looks brought about.
import { randomUUID } from 'node:crypto'
import { createLog } from '../../../../../service/log.ts'
import type { StorageConfig } from '../../../../config/schema.ts'
import type { Driver } from '../../../../storage/driver.ts'
import { openDriver } from '../../../../storage/open-driver.ts'
import { createSealing } from '../../../../storage/sealing/sealing.ts'
import { injectLatency } from '../../../../storage/testing/inject-latency.ts'
import { keep } from '../key-keeper.ts'
import { openKeyRing, type KeyRing } from '../key-ring.ts'

export type KeepQuestion =
  | { config: StorageConfig; keepers: number; now: number }
  | { now: number; at: number }

export interface KeepAnswer {
  /** `activated <kid>`, once for each keeper that says it did that. */
  changes: string[]
  /** The key that each keeper signs with afterwards. */
  signs: string[]
}

const SETTINGS = {
  alg: 'ES256',
  rotateEveryMs: 1_000_000,
  publishBeforeMs: 100_000,
  retireMs: 1_000_000,
} as const
/** The same in every process. */
const sealing = createSealing([Buffer.alloc(32, 'keys')])

let now = 0
let driver: Driver
let rings: KeyRing[] = []
let changes: string[] = []

const log = createLog({
  level: 'info',
  pretty: false,
  destination: {
    write(line) {
      const { event, change, kid } = JSON.parse(line) as Record<string, string>
      if (event === 'key.rotated') changes.push(`${change} ${kid}`)
    },
  },
})

async function answer(question: KeepQuestion): Promise<KeepAnswer> {
  now = question.now
  changes = []
  if ('config' in question) {
    driver = injectLatency(await openDriver(question.config, { now: Date.now, log }))
    const options = { driver, sealing, settings: SETTINGS, now: () => now }
    rings = await Promise.all(Array.from({ length: question.keepers }, () => openKeyRing(options)))
  } else {
    while (Date.now() < question.at);
    await Promise.all(rings.map((ring) => keep({ ring, driver, log }, randomUUID())))
  }
  return { changes, signs: rings.map((ring) => ring.snapshot().keys[0]?.kid ?? '') }
}

process.on('message', (question: KeepQuestion) => {
  void answer(question).then((said) => process.send?.(said))
})
process.on('disconnect', () => process.exit())

// Two adapters at once that differ in how many upstreams they know, asked in turn in short rounds, so that what the machine
// does meanwhile happens to both.
import { join } from 'node:path'
import type { ManagedProcess } from '../scripts/managed-process.ts'
import { startAdapter } from './adapter.ts'
import { cpuMs, median, percentile } from './measure.ts'
import { load, type Place, type Surroundings } from './surroundings.ts'

interface Rounds {
  cpu: number[]
  p50: number[]
}

export interface Side {
  upstreams: number
  /** Milliseconds a login; medians over the rounds. */
  cpu: number
  p50: number
}

export interface SideBySide {
  one: Side
  many: Side
  /** Medians over the rounds of what the many cost against the one. */
  cpuRatio: number
  p50Ratio: number
}

/** Of the cost of a login: what is more than this, several upstreams may not cost. */
export const LARGEST_RATIO = 1.03

export interface SideBySideOptions {
  upstreams: number
  rounds: number
  /** Of one side in one round. */
  logins: number
  alg: string
}

interface Party {
  place: Place
  process: ManagedProcess
  rounds: Rounds
}

async function startParty(
  surroundings: Surroundings,
  place: Place,
  upstreams: number,
  alg: string,
): Promise<Party> {
  const name = `upstreams-${upstreams}`
  const storage = `{ driver: sqlite, file: ${join(surroundings.folder, `${name}.sqlite`)} }`
  const options = { name, place, storage, alg, otherUpstreams: upstreams - 1 }
  const { process } = await startAdapter(surroundings, options)
  return { place, process, rounds: { cpu: [], p50: [] } }
}

async function playRound(
  surroundings: Surroundings,
  { place, process, rounds }: Party,
  logins: number,
): Promise<void> {
  const pid = process.pid as number
  const before = cpuMs(pid)
  const { durations } = await load(surroundings, place.port, logins, 1)
  rounds.cpu.push((cpuMs(pid) - before) / logins)
  rounds.p50.push(percentile(durations, 0.5))
}

const ratioOf = (many: readonly number[], one: readonly number[]) =>
  median(many.map((value, round) => value / (one[round] as number)))

const sideOf = (upstreams: number, { cpu, p50 }: Rounds): Side => ({
  upstreams,
  cpu: median(cpu),
  p50: median(p50),
})

export async function measureSideBySide(
  surroundings: Surroundings,
  { upstreams, rounds, logins, alg }: SideBySideOptions,
): Promise<SideBySide> {
  const one = await startParty(surroundings, surroundings.place, 1, alg)
  const many = await startParty(surroundings, surroundings.otherPlace, upstreams, alg)
  try {
    for (const { place } of [one, many]) await load(surroundings, place.port, 300, 2)
    for (let round = 0; round < rounds; round += 1) {
      // Each goes first as often as the other.
      const order = round % 2 === 0 ? [one, many] : [many, one]
      for (const party of order) await playRound(surroundings, party, logins)
    }
  } finally {
    await Promise.all([one.process.stop(), many.process.stop()])
  }
  return {
    one: sideOf(1, one.rounds),
    many: sideOf(upstreams, many.rounds),
    cpuRatio: ratioOf(many.rounds.cpu, one.rounds.cpu),
    p50Ratio: ratioOf(many.rounds.p50, one.rounds.p50),
  }
}

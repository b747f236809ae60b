// Two ways of asking a process for the same, in short rounds and in turn: what the machine does meanwhile happens to both.
import { cpuMs, median, percentile } from '../measure.ts'

export interface Way {
  /** Whose CPU is counted. */
  pid: number
  perform(): Promise<unknown>
}

export interface Spent {
  /** Milliseconds of CPU of all rounds together, a request: the kernel counts in steps of 10 ms. */
  cpu: number
  /** Milliseconds that a request took: the median over the rounds. */
  p50: number
}

export interface Rounds {
  rounds: number
  /** Of each way in one round. */
  count: number
}

interface Playing {
  way: Way
  cpu: number
  p50: number[]
}

async function playRound(playing: Playing, count: number): Promise<void> {
  const { way } = playing
  const durations: number[] = []
  const before = cpuMs(way.pid)
  for (let turn = 0; turn < count; turn += 1) {
    const startedAt = performance.now()
    await way.perform()
    durations.push(performance.now() - startedAt)
  }
  playing.cpu += cpuMs(way.pid) - before
  playing.p50.push(percentile(durations, 0.5))
}

/** Each way is performed as often before it is measured. `beforeRound` is in no figure. */
export async function measureInTurn(
  ways: readonly [Way, Way],
  { rounds, count }: Rounds,
  beforeRound: () => Promise<void> = async () => undefined,
): Promise<[Spent, Spent]> {
  const all = ways.map((way): Playing => ({ way, cpu: 0, p50: [] }))
  await beforeRound()
  for (const { perform } of ways) for (let turn = 0; turn < count; turn += 1) await perform()
  for (let round = 0; round < rounds; round += 1) {
    await beforeRound()
    for (const playing of round % 2 === 0 ? all : all.toReversed()) await playRound(playing, count)
  }
  const [first, second] = all.map(({ cpu, p50 }) => ({
    cpu: cpu / (rounds * count),
    p50: median(p50),
  }))
  return [first as Spent, second as Spent]
}

// Operations in turn, in short rounds, at one adapter: what the machine does meanwhile happens to each.
import { setTimeout as delay } from 'node:timers/promises'
import type { ManagedProcess } from '../../scripts/managed-process.ts'
import { cpuMs, median, percentile } from '../measure.ts'
import type { Operation } from './requests.ts'

export interface MeasuredOperation {
  name: string
  /** Milliseconds; medians over the rounds. */
  cpu: number
  p50: number
  /** CPU of it over CPU of the first. */
  ratioToFirst: number
  roundTrips: number
}

export interface OperationRounds {
  rounds: number
  /** Of each operation in one round. */
  count: number
}

interface Playing {
  operation: Operation
  cpu: number[]
  p50: number[]
}

const COUNTED = 20
const LOG_QUIET_MS = 250

async function playRound(
  { operation, cpu, p50 }: Playing,
  pid: number,
  count: number,
): Promise<void> {
  const durations: number[] = []
  const before = cpuMs(pid)
  for (let turn = 0; turn < count; turn += 1) {
    const startedAt = performance.now()
    await operation.perform()
    durations.push(performance.now() - startedAt)
  }
  cpu.push((cpuMs(pid) - before) / count)
  p50.push(percentile(durations, 0.5))
}

/** Waits for the store of each request that the adapter's log tells of since `from`. */
const waitsSince = (adapter: ManagedProcess, from: number): number[] =>
  adapter.lines
    .slice(from)
    .filter((line) => line.includes('"request.done"'))
    .map((line) => (JSON.parse(line) as { storage?: { round_trips: number } }).storage)
    .map((storage) => storage?.round_trips ?? 0)

/** The log comes through a pipe: it is all there when nothing has come for a while. */
async function countRoundTrips({ perform }: Operation, adapter: ManagedProcess): Promise<number> {
  const from = adapter.lines.length
  for (let turn = 0; turn < COUNTED; turn += 1) await perform()
  for (let seen = -1; seen < adapter.lines.length; await delay(LOG_QUIET_MS))
    seen = adapter.lines.length
  return waitsSince(adapter, from).reduce((sum, count) => sum + count, 0) / COUNTED
}

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** Of what both took in all rounds: the kernel counts CPU in steps of 10 ms, too coarse for the ratio of one round. */
const ratioOf = (left: readonly number[], right: readonly number[]) => sumOf(left) / sumOf(right)

export async function measureOperations(
  adapter: ManagedProcess,
  operations: readonly Operation[],
  { rounds, count }: OperationRounds,
): Promise<{ measured: MeasuredOperation[]; leaseRatio: number }> {
  const all = operations.map((operation): Playing => ({ operation, cpu: [], p50: [] }))
  for (const { perform } of operations) for (let turn = 0; turn < count; turn += 1) await perform()
  for (let round = 0; round < rounds; round += 1) {
    const order = round % 2 === 0 ? all : all.toReversed()
    for (const each of order) await playRound(each, adapter.pid as number, count)
  }
  const measured: MeasuredOperation[] = []
  for (const { operation, cpu, p50 } of all)
    measured.push({
      name: operation.name,
      cpu: median(cpu),
      p50: median(p50),
      ratioToFirst: ratioOf(cpu, all[0]?.cpu ?? []),
      roundTrips: await countRoundTrips(operation, adapter),
    })
  const of = (name: string) => all.find(({ operation }) => operation.name === name)?.cpu ?? []
  return { measured, leaseRatio: ratioOf(of('refresh, lease'), of('refresh, cached')) }
}

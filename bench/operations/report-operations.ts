// The part of `npm run bench` about what is done beside a login: what is measured, what is printed, and what it may cost.
import { signInUpstream } from '../chained-login.ts'
import type { Surroundings } from '../surroundings.ts'
import { measureLogouts, startHearingApps, type Logouts } from './logouts.ts'
import { measureOperations, type MeasuredOperation } from './measure-operations.ts'
import { appAt, APPS, startOperationsAdapter } from './operations-adapter.ts'
import { operations } from './requests.ts'

export interface OperationsReport {
  measured: readonly MeasuredOperation[]
  leaseRatio: number
  logouts: { quick: Logouts; slow: Logouts }
}

const MOST_REFRESH_ROUND_TRIPS = 5
const LARGEST_LEASE_RATIO = 1.1
/** Of the time that a logout takes: less than any wait for an app that does not answer. */
const LARGEST_SLOW_RATIO = 1.5

/** What is over a bound, in words; nothing when all is well. */
export function overBounds({ measured, leaseRatio, logouts }: OperationsReport): string[] {
  const { quick, slow } = logouts
  const refreshes = measured.filter(({ name }) => name.startsWith('refresh'))
  const bounds = [
    ...refreshes.map(({ name, roundTrips }) => ({
      what: `round trips of ${name}`,
      found: roundTrips,
      most: MOST_REFRESH_ROUND_TRIPS,
    })),
    { what: 'CPU of lease over cached', found: leaseRatio, most: LARGEST_LEASE_RATIO },
    {
      what: 'wait of the person with a slow app',
      found: slow.answered / quick.answered,
      most: LARGEST_SLOW_RATIO,
    },
    {
      what: 'wait of the other apps with a slow app',
      found: slow.told / quick.told,
      most: LARGEST_SLOW_RATIO,
    },
  ]
  return bounds
    .filter(({ found, most }) => !(found <= most))
    .map(({ what, found, most }) => `${what}: expected at most ${most}, found ${found.toFixed(2)}`)
}

function print({ measured, leaseRatio, logouts }: OperationsReport): void {
  const [login] = measured
  console.table(
    measured.map(({ name, cpu, p50, ratioToFirst, roundTrips }) => ({
      '': name,
      'CPU ms': cpu.toFixed(2),
      'ratio to a login': ratioToFirst.toFixed(2),
      'round trips': roundTrips.toFixed(1),
      'p50 ms': p50.toFixed(2),
    })),
  )
  console.log(`lease over cached: ${leaseRatio.toFixed(2)} (bound: ${LARGEST_LEASE_RATIO})\n`)
  const row = (name: string, { answered, told, cpu }: Logouts) => ({
    '': name,
    'CPU ms': cpu.toFixed(1),
    'ratio to a login': (cpu / (login?.cpu ?? Number.NaN)).toFixed(2),
    'person waits, ms': answered.toFixed(1),
    'last app told, ms': told.toFixed(1),
  })
  console.table([
    row(`logout of ${APPS} apps`, logouts.quick),
    row('one of them does not answer', logouts.slow),
  ])
}

/** Prints it, and returns what is over a bound. */
export async function reportOperations(
  surroundings: Surroundings,
  { rounds, count }: { rounds: number; count: number },
): Promise<string[]> {
  const hearing = await startHearingApps()
  const adapter = await startOperationsAdapter(surroundings, hearing.url)
  const at = (clientId: string) => appAt(surroundings, clientId)
  try {
    const upstream = await signInUpstream(at('cached'), surroundings.upstream)
    const all = await operations(at, upstream)
    const { measured, leaseRatio } = await measureOperations(adapter, all, { rounds, count })
    const pid = adapter.pid as number
    const logouts = await measureLogouts({ pid, rounds, at, upstream, hearing })
    print({ measured, leaseRatio, logouts })
    return overBounds({ measured, leaseRatio, logouts })
  } finally {
    await adapter.stop()
    await hearing.close()
  }
}

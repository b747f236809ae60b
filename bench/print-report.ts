// What `npm run bench` prints.
import { LARGEST_RATIO, type Side, type SideBySide } from './side-by-side.ts'

export interface Row {
  name: string
  cpu: number
  ratio?: number
  roundTrips?: number
  low: [p50: number, p99: number]
  busy: [p50: number, p99: number]
  rss: number
  rssAfter?: number
  startMs: number
}

export function printRows(rows: readonly Row[]): void {
  const ms = ([p50, p99]: [number, number]) => `${p50.toFixed(1)} / ${p99.toFixed(1)}`
  const table = rows.map((row) => ({
    '': row.name,
    'CPU ms/login': row.cpu.toFixed(2),
    'ratio to floor': row.ratio?.toFixed(2) ?? '',
    'round trips': row.roundTrips?.toFixed(1) ?? '',
    'p50/p99 ms, 1 at a time': ms(row.low),
    'p50/p99 ms, 4 at a time': ms(row.busy),
    'RSS MiB': row.rss.toFixed(0),
    'RSS MiB after soak': row.rssAfter?.toFixed(0) ?? '',
    'ready ms': row.startMs.toFixed(0),
  }))
  console.table(table)
}

export function printSideBySide({ one, many, cpuRatio, p50Ratio }: SideBySide): void {
  const row = ({ upstreams, cpu, p50 }: Side) => ({
    upstreams: String(upstreams),
    'CPU ms/login': cpu.toFixed(2),
    'p50 ms, 1 at a time': p50.toFixed(2),
  })
  const ratios = {
    upstreams: 'ratio',
    'CPU ms/login': cpuRatio.toFixed(3),
    'p50 ms, 1 at a time': p50Ratio.toFixed(3),
  }
  console.table([row(one), row(many), ratios])
  console.log(
    `Both at once on sqlite, asked in turn; medians of the rounds (bound of the ratios: ${LARGEST_RATIO}).`,
  )
}

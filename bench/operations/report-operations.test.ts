import { describe, expect, it } from 'vitest'
import { overBounds, type OperationsReport } from './report-operations.ts'

const operation = (name: string, roundTrips: number) => ({
  name,
  cpu: 3,
  p50: 5,
  ratioToFirst: 0.3,
  roundTrips,
})
const logouts = (answered: number, told: number) => ({ answered, told, cpu: 40 })
const within: OperationsReport = {
  measured: [
    operation('login', 11),
    operation('refresh, cached', 5),
    operation('refresh, lease', 5),
  ],
  leaseRatio: 1.1,
  logouts: { quick: logouts(100, 200), slow: logouts(150, 300) },
}

describe(overBounds, () => {
  it('has nothing to say of what is at its bound, nor of the round trips of a login', () => {
    expect(overBounds(within)).toEqual([])
  })

  it('names what is over its bound, with expected and found', () => {
    const report: OperationsReport = {
      measured: [operation('refresh, lease', 5.5)],
      leaseRatio: 1.2,
      logouts: { quick: logouts(100, 200), slow: logouts(2000, 5000) },
    }
    expect(overBounds(report)).toEqual([
      'round trips of refresh, lease: expected at most 5, found 5.50',
      'CPU of lease over cached: expected at most 1.1, found 1.20',
      'wait of the person with a slow app: expected at most 1.5, found 20.00',
      'wait of the other apps with a slow app: expected at most 1.5, found 25.00',
    ])
  })

  it('takes what could not be measured for too much', () => {
    expect(overBounds({ ...within, leaseRatio: Number.NaN })).toHaveLength(1)
  })
})

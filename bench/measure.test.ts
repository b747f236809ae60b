import { describe, expect, it } from 'vitest'
import { cpuMs, median, parseCpuMs, percentile, rssMib } from './measure.ts'

describe('measure', () => {
  it('reads user and system time past a program name with spaces', () => {
    const fields = ['S', '1', '1', '1', '0', '-1', '0', '0', '0', '0', '0', '250', '50', '0']
    expect(parseCpuMs(`42 (my (odd) name) ${fields.join(' ')}`)).toBe(3000)
  })

  it('sees the CPU time and the memory of this process', () => {
    const before = cpuMs(process.pid)
    const { user, system } = process.cpuUsage()
    for (let used = 0; used < 60_000;) {
      const now = process.cpuUsage()
      used = now.user + now.system - user - system
    }
    expect(cpuMs(process.pid) - before).toBeGreaterThanOrEqual(30)
    expect(rssMib(process.pid)).toBeGreaterThan(10)
  })

  it('takes percentiles by nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile([7], 0.99)]).toEqual([
      50, 99, 7,
    ])
  })

  it('takes the middle of an odd number, and between the two of an even one', () => {
    expect([median([9, 1, 5]), median([4, 1, 9, 6]), median([])]).toEqual([5, 5, Number.NaN])
  })
})

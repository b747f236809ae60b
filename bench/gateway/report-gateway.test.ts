import { describe, expect, it } from 'vitest'
import { measureInTurn } from './in-turn.ts'
import { overGatewayBounds } from './report-gateway.ts'

const spent = { cpu: 1, p50: 1 }

const reportOf = ({ cpuRatio = 1.2, p50Ratio = 1.2, hashShare = 0.9 }) => ({
  middleware: [{ name: 'GET /', authenticated: spent, unauthenticated: spent, cpuRatio, p50Ratio }],
  identity: { login: spent, withoutHash: spent, hashShare },
})

describe(overGatewayBounds, () => {
  it('says nothing when all is well', () => {
    expect(overGatewayBounds(reportOf({}))).toEqual([])
    expect(overGatewayBounds(reportOf({ cpuRatio: 1.5, p50Ratio: 1.5, hashShare: 0.8 }))).toEqual(
      [],
    )
  })

  it('names what costs more than it may', () => {
    expect(overGatewayBounds(reportOf({ cpuRatio: 1.6, p50Ratio: 2, hashShare: 0.5 }))).toEqual([
      'CPU of GET /, authenticated over not: expected at most 1.5, found 1.60',
      'time of GET /, authenticated over not: expected at most 1.5, found 2.00',
      'argon2id in a login: expected at least 0.8, found 0.50',
    ])
  })

  it('takes what was not measured for a fault', () => {
    const nothing = reportOf({ cpuRatio: Number.NaN, p50Ratio: Number.NaN, hashShare: Number.NaN })
    expect(overGatewayBounds(nothing)).toHaveLength(3)
  })
})

describe(measureInTurn, () => {
  it('asks for each as often, in turn, first for what is needed', async () => {
    const asked: string[] = []
    const way = (name: string) => ({
      pid: process.pid,
      perform: async () => void asked.push(name),
    })
    const spents = await measureInTurn([way('a'), way('b')], { rounds: 2, count: 2 }, async () => {
      asked.push('|')
    })
    expect(asked.join('')).toBe('|aabb|aabb|bbaa')
    for (const { p50 } of spents) expect(p50).toBeGreaterThan(0)
  })
})

import { describe, expect, it } from 'vitest'
import { runSteps } from './step.ts'
import { tallyPlaywright, tallyVitest } from './tally-reports.ts'

const file = (status: string, ...tests: string[]) => ({
  name: 'a.test.ts',
  status,
  assertionResults: tests.map((each) => ({ status: each, fullName: each })),
})

describe(tallyVitest, () => {
  it('counts what passed and what failed', () => {
    const report = { testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed')] }
    expect(tallyVitest(report, 1)).toMatchObject({ passed: 2, failed: 1 })
  })

  it.each(['skipped', 'todo', 'pending', 'disabled'])('counts a %s test as failed', (status) => {
    const tally = tallyVitest({ testResults: [file('passed', 'passed', status)] }, 0)
    expect(tally).toMatchObject({ passed: 1, failed: 1 })
    expect(tally.notes?.[0]).toContain('skipped')
  })

  it('counts a file that could not be loaded as failed, and says why', () => {
    const broken = { ...file('failed'), message: 'no such module' }
    expect(tallyVitest({ testResults: [broken] }, 1)).toMatchObject({
      passed: 0,
      failed: 1,
      notes: ['did not run to its end: a.test.ts\nno such module'],
    })
  })

  it('counts a bad end without a failed test as failed', () => {
    const report = { testResults: [file('passed', 'passed')] }
    expect(tallyVitest(report, 1)).toMatchObject({ passed: 1, failed: 1 })
  })

  it('counts a run without tests as failed', () => {
    expect(tallyVitest({ testResults: [] }, 0)).toMatchObject({ passed: 0, failed: 1 })
  })
})

describe(tallyPlaywright, () => {
  const stats = { expected: 3, unexpected: 0, flaky: 0, skipped: 0 }

  it('counts what passed', () => {
    expect(tallyPlaywright({ errors: [], stats }, 0)).toMatchObject({ passed: 3, failed: 0 })
  })

  it.each(['unexpected', 'flaky', 'skipped'])('counts a test that was %s as failed', (kind) => {
    const report = { errors: [], stats: { ...stats, [kind]: 1 } }
    expect(tallyPlaywright(report, 0)).toMatchObject({ passed: 3, failed: 1 })
  })

  it('counts an error outside of tests as failed', () => {
    const report = { errors: [{ message: 'no' }], stats }
    expect(tallyPlaywright(report, 1)).toMatchObject({ passed: 3, failed: 1, notes: ['no'] })
  })
})

describe(runSteps, () => {
  const step = (name: string, passed: number, failed: number) => ({
    name,
    run: async () => ({ passed, failed }),
  })
  const broken = {
    name: 'broken',
    run: async () => {
      throw new Error('could not start')
    },
  }
  const cases = [
    {
      name: 'all passed',
      steps: [step('a', 1, 0), step('b', 2, 0)],
      last: '3 passed, 0 failed',
      code: 0,
    },
    {
      name: 'one failed',
      steps: [step('a', 1, 1), step('b', 2, 0)],
      last: '3 passed, 1 failed',
      code: 1,
    },
    { name: 'one threw', steps: [broken, step('b', 2, 0)], last: '2 passed, 1 failed', code: 1 },
    { name: 'nothing ran', steps: [], last: '0 passed, 0 failed', code: 1 },
  ]
  it.each(cases)('ends with the sum and the exit code: $name', async ({ steps, last, code }) => {
    const printed: string[] = []
    expect(await runSteps(steps, (text) => void printed.push(text))).toBe(code)
    expect(printed.join('').trimEnd().split('\n').at(-1)).toBe(last)
  })
})

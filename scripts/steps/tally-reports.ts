// Counts what vitest and Playwright report as JSON. Whatever did not pass counts as failed: a skipped test as well, a
// file that could not be loaded, a runner that ended badly without saying why.
import type { Tally } from './step.ts'

interface VitestReport {
  testResults: {
    name: string
    status: string
    message?: string
    assertionResults: { status: string; fullName: string }[]
  }[]
}

interface PlaywrightReport {
  errors: { message?: string }[]
  stats: { expected: number; unexpected: number; flaky: number; skipped: number }
}

function withExitCode(
  { passed, failed, notes = [] }: Tally,
  exitCode: number,
  runner: string,
): Tally {
  if (passed + failed === 0)
    return { passed, failed: 1, notes: [...notes, `${runner} found no tests`] }
  if (exitCode !== 0 && failed === 0)
    return { passed, failed: 1, notes: [...notes, `${runner} ended with exit code ${exitCode}`] }
  return { passed, failed, notes }
}

export function tallyVitest(report: VitestReport, exitCode: number): Tally {
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults)
  const passed = tests.filter(({ status }) => status === 'passed').length
  const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  const notes = [
    ...skipped.map(({ fullName }) => `skipped, which counts as failed: ${fullName}`),
    ...broken.map(({ name, message }) =>
      [`did not run to its end: ${name}`, message].filter(Boolean).join('\n'),
    ),
  ]
  return withExitCode(
    { passed, failed: tests.length - passed + broken.length, notes },
    exitCode,
    'vitest',
  )
}

export function tallyPlaywright({ errors, stats }: PlaywrightReport, exitCode: number): Tally {
  const { expected, unexpected, flaky, skipped } = stats
  const notes = [
    ...(skipped > 0 ? [`${skipped} skipped or not run, which counts as failed`] : []),
    ...errors.map(({ message }) => message ?? 'an error outside of any test'),
  ]
  return withExitCode(
    { passed: expected, failed: unexpected + flaky + skipped + errors.length, notes },
    exitCode,
    'playwright',
  )
}

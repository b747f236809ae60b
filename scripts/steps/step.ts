// A step of `npm test` or `npm run check`: something that runs and can be counted.

export interface Tally {
  passed: number
  failed: number
  /** Said to the person when the numbers alone do not explain themselves. */
  notes?: readonly string[]
}

export interface Step {
  name: string
  run(): Promise<Tally>
}

/** A step that is right or wrong as a whole. */
export const oneOf = (exitCode: number): Tally => ({
  passed: exitCode === 0 ? 1 : 0,
  failed: exitCode === 0 ? 0 : 1,
})

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

async function tallyOf(step: Step): Promise<Tally> {
  try {
    return await step.run()
  } catch (error) {
    return { passed: 0, failed: 1, notes: [(error as Error).message] }
  }
}

/**
 * Runs the steps one after the other, all of them whatever fails, prints a line for each and `N passed, N failed` last.
 * Resolves with the exit code.
 */
export async function runSteps(
  steps: readonly Step[],
  print: (text: string) => void,
): Promise<number> {
  const total = { passed: 0, failed: 0 }
  const summary: string[] = []
  for (const step of steps) {
    const begun = Date.now()
    print(`\n── ${step.name}\n`)
    const { passed, failed, notes = [] } = await tallyOf(step)
    total.passed += passed
    total.failed += failed
    const line = `${failed === 0 ? 'ok    ' : 'FAILED'} ${step.name}: ${passed} passed, ${failed} failed (${seconds(Date.now() - begun)})`
    summary.push(line, ...notes.map((note) => `       ${note}`))
  }
  print(`\n${summary.join('\n')}\n\n${total.passed} passed, ${total.failed} failed\n`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
}

// `npm test`: everything, on real parts. `npm test -- <part of a file name>` runs the matching tests alone.
import { runSteps, type Step } from './steps/step.ts'
import { formatCheck, lint, playwright, typeCheck, vitest } from './steps/steps.ts'
import { findTestEnvironment } from './test-environment.ts'

const print = (text: string) => void process.stdout.write(text)

const everything = (env: NodeJS.ProcessEnv): Step[] => [
  typeCheck,
  lint,
  formatCheck,
  vitest('structure, unit, conformance and integration tests', [], env),
  playwright('end-to-end tests', [], env),
]

/** A filter names end-to-end files by their folder, others by any part of their path. */
function matching(filters: readonly string[], env: NodeJS.ProcessEnv): Step[] {
  const endToEnd = filters.filter((filter) => filter.startsWith('e2e'))
  const others = filters.filter((filter) => !filter.startsWith('e2e'))
  return [
    ...(others.length > 0 ? [vitest('tests', others, env)] : []),
    ...(endToEnd.length > 0 ? [playwright('end-to-end tests', endToEnd, env)] : []),
  ]
}

async function test(filters: readonly string[]): Promise<number> {
  const env = await findTestEnvironment(print)
  return runSteps(filters.length > 0 ? matching(filters, env) : everything(env), print)
}

try {
  process.exitCode = await test(process.argv.slice(2))
} catch (error) {
  print(`${(error as Error).message}\n\n0 passed, 1 failed\n`)
  process.exitCode = 1
}

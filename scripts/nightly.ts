// `npm run nightly`: the tests with more rounds, longer loads and coverage, for when nobody waits.
import { runSteps } from './steps/step.ts'
import { playwright, vitest } from './steps/steps.ts'
import { findTestEnvironment } from './test-environment.ts'

const print = (text: string) => void process.stdout.write(text)

try {
  const env = { ...(await findTestEnvironment(print)), AUTH_ADAPTER_NIGHTLY: '1' }
  const steps = [
    vitest('all tests, many rounds', ['--coverage'], env),
    playwright('end-to-end tests', [], env),
  ]
  process.exitCode = await runSteps(steps, print)
} catch (error) {
  print(`${(error as Error).message}\n\n0 passed, 1 failed\n`)
  process.exitCode = 1
}

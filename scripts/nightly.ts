// `npm run nightly`: what nobody waits for: more rounds, with coverage, and parts that are too large for every run.
// `npm run nightly -- keycloak` runs one of its parts alone.
import { partsNamed } from './steps/nightly-parts.ts'
import { runSteps } from './steps/step.ts'
import { findTestEnvironment } from './test-environment.ts'

const print = (text: string) => void process.stdout.write(text)

async function nightly(names: readonly string[]): Promise<number> {
  const parts = partsNamed(names)
  const env = { ...(await findTestEnvironment(print)), AUTH_ADAPTER_NIGHTLY: '1' }
  return runSteps(
    parts.flatMap((part) => part(env)),
    print,
  )
}

try {
  process.exitCode = await nightly(process.argv.slice(2))
} catch (error) {
  print(`${(error as Error).message}\n\n0 passed, 1 failed\n`)
  process.exitCode = 1
}

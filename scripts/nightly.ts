// `npm run nightly`: what nobody waits for: more rounds, with coverage, and parts that are too large for every run.
// `npm run nightly -- keycloak` runs one of its parts alone.
import { runSteps, type Step } from './steps/step.ts'
import { playwright, vitest } from './steps/steps.ts'
import { findTestEnvironment } from './test-environment.ts'

const print = (text: string) => void process.stdout.write(text)

const PARTS: Readonly<Record<string, (env: NodeJS.ProcessEnv) => Step>> = {
  rounds: (env) => vitest('all tests, many rounds', ['--coverage'], env),
  e2e: (env) => playwright('end-to-end tests', [], env),
  rolling: (env) =>
    playwright('rolling restarts under 10,000 logins and as many refreshes', ['e2e/rolling'], {
      ...env,
      AUTH_ADAPTER_ROLLING_LOGINS: '10000',
    }),
  upgrade: (env) =>
    playwright('rolling upgrade from the release before', ['upgrade'], env, 'e2e/nightly'),
  keycloak: (env) => playwright('Keycloak as the upstream', ['keycloak'], env, 'e2e/nightly'),
}

function partNamed(name: string): (env: NodeJS.ProcessEnv) => Step {
  const part = PARTS[name]
  if (part) return part
  throw new Error(`There is no part "${name}": expected ${Object.keys(PARTS).join(', ')}`)
}

async function nightly(names: readonly string[]): Promise<number> {
  const parts = (names.length > 0 ? names : Object.keys(PARTS)).map(partNamed)
  const env = { ...(await findTestEnvironment(print)), AUTH_ADAPTER_NIGHTLY: '1' }
  return runSteps(
    parts.map((part) => part(env)),
    print,
  )
}

try {
  process.exitCode = await nightly(process.argv.slice(2))
} catch (error) {
  print(`${(error as Error).message}\n\n0 passed, 1 failed\n`)
  process.exitCode = 1
}

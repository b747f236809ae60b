// What `npm run nightly` is made of: each part by its name, and what it needs that not every machine has.
import { findJava } from '../keycloak/find-java.ts'
import { releaseBefore } from './release-before.ts'
import type { Step } from './step.ts'
import { playwright, vitest } from './steps.ts'

type Environment = NodeJS.ProcessEnv
export type Part = (env: Environment) => Step[]

/** Fewer sign-ins are over before each of three adapters was restarted; brought to the new release and back. */
const LEAST = { rolling: 300, upgrade: 1000 }
const ROLLING = 'AUTH_ADAPTER_ROLLING_LOGINS'
const KILLS = 'AUTH_ADAPTER_KILL_REPEATS'
const UPGRADE = 'AUTH_ADAPTER_UPGRADE_LOGINS'

export const PARTS: Readonly<Record<string, Part>> = {
  rounds: (env) => [vitest('all tests, many rounds', ['--coverage'], env)],
  e2e: (env) => [playwright('end-to-end tests', [], env)],
  rolling: (env) => {
    const logins = numberIn(env, ROLLING, 10_000, LEAST.rolling)
    const name = `rolling restarts under ${logins} logins and as many refreshes`
    return [playwright(name, ['e2e/rolling'], { ...env, [ROLLING]: logins })]
  },
  kills: (env) => [
    vitest('kills in the middle of a write', ['sqlite-kill'], env),
    playwright('kills at each step of a login', ['e2e/kill'], {
      ...env,
      [KILLS]: numberIn(env, KILLS, 100),
    }),
  ],
  upgrade: (env) => {
    const logins = numberIn(env, UPGRADE, 2000, LEAST.upgrade)
    const own = { ...env, [UPGRADE]: logins }
    const step = playwright('rolling upgrade', ['upgrade'], own, 'e2e/nightly')
    return [needing(() => releaseBefore(env), step)]
  },
  keycloak: (env) => {
    const step = playwright('Keycloak as the upstream', ['keycloak'], env, 'e2e/nightly')
    return [needing(() => findJava(env), step)]
  },
}

/** `kills` is in `rounds` and `e2e`. */
const USUAL = Object.keys(PARTS).filter((name) => name !== 'kills')

/** Those that make up a night where none is named. Throws an Error that names what there is. */
export function partsNamed(names: readonly string[]): Part[] {
  return (names.length > 0 ? names : USUAL).map((name) => {
    const part = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined
    if (part) return part
    throw new Error(`There is no part "${name}": expected ${Object.keys(PARTS).join(', ')}`)
  })
}

function numberIn(env: Environment, name: string, usual: number, least = 1): string {
  const given = env[name] ?? String(usual)
  if (/^\d{1,7}$/.test(given) && Number(given) >= least) return given
  throw new Error(`${name}: expected a number from ${least} to 9999999, found "${given}"`)
}

/** Not begun where `check` throws: its message is all there is to say. */
const needing = (check: () => unknown, step: Step): Step => ({
  name: step.name,
  async run() {
    check()
    return step.run()
  },
})

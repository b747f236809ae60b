// Finds a Java that runs Keycloak, and Maven, which fetches it.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { which } from '../which.ts'

/** What Keycloak asks for. */
const LEAST_JAVA = 17

const ADVICE = `Keycloak needs Java ${LEAST_JAVA} or later, and Maven to fetch it. Either of these helps:
  apt-get install default-jre-headless maven        (Debian, Ubuntu)
  brew install openjdk maven                        (macOS)
A Java elsewhere is taken from JAVA_HOME.`

export interface Java {
  /** The `java` program. */
  path: string
  /** As it says itself: `17.0.15`. */
  version: string
  maven: string
}

/** The version in what `java -version` prints; undefined where it is no Java. */
export const javaVersionIn = (printed: string): string | undefined =>
  /\bversion "([^"]+)"/.exec(printed)?.[1]

function javaPath({ JAVA_HOME: home, PATH }: NodeJS.ProcessEnv): string | undefined {
  const ofHome = home ? join(home, 'bin', 'java') : undefined
  return ofHome && existsSync(ofHome) ? ofHome : which(['java'], PATH)
}

/** Throws an Error whose message says what to do. */
export function findJava(env: NodeJS.ProcessEnv): Java {
  const path = javaPath(env)
  const maven = which(['mvn'], env['PATH'])
  if (!path || !maven) throw new Error(ADVICE)
  const version = javaVersionIn(spawnSync(path, ['-version'], { encoding: 'utf8' }).stderr) ?? ''
  if (Number.parseInt(version, 10) >= LEAST_JAVA) return { path, version, maven }
  throw new Error(`${path} is Java ${version || 'of no known version'}.\n${ADVICE}`)
}

// A Keycloak of its own on loopback, with the realm of realm.json and nothing on disk that outlives it.
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startProcess, type ManagedProcess } from '../managed-process.ts'
import { fetchKeycloak, KEYCLOAK_VERSION } from './fetch-keycloak.ts'
import { findJava, type Java } from './find-java.ts'

export interface KeycloakOptions {
  port: number
  /** Where the adapter is; only its callback is registered. */
  adapterOrigin: string
  clientSecret: string
  /** Of everyone in the realm. */
  userPassword: string
}

export interface Keycloak {
  /** Said to the person: version, Java, and how long the start took. */
  readonly describe: string
  stop(): Promise<void>
}

const REALM = 'example'

/** Of a Keycloak on that port of loopback. */
export const issuerAt = (port: number) => `http://127.0.0.1:${port}/realms/${REALM}`

const READY_WITHIN_MS = 240_000
const COMMAND = ['start-dev', '--import-realm', '--db=dev-mem', '--cache=local']

function unpack(archive: string, folder: string): string {
  const { status, stderr } = spawnSync('tar', ['-xzf', archive, '-C', folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tar could not unpack ${archive}: ${stderr}`)
  const home = join(folder, `keycloak-${KEYCLOAK_VERSION}`)
  mkdirSync(join(home, 'data', 'import'), { recursive: true })
  copyFileSync(
    join(import.meta.dirname, 'realm.json'),
    join(home, 'data', 'import', `${REALM}-realm.json`),
  )
  return home
}

function launch(home: string, java: Java, options: KeycloakOptions): ManagedProcess {
  const { PATH, HOME, LANG } = process.env
  return startProcess({
    name: 'keycloak',
    command: join(home, 'bin', 'kc.sh'),
    args: [...COMMAND, '--http-host=127.0.0.1', `--http-port=${options.port}`],
    env: {
      PATH,
      HOME,
      LANG,
      JAVA: java.path,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
      ADAPTER_ORIGIN: options.adapterOrigin,
      ADAPTER_CLIENT_SECRET: options.clientSecret,
      USER_PASSWORD: options.userPassword,
    },
  })
}

async function untilServing(server: ManagedProcess, issuer: string): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  let hasEnded = false
  void server.ended.then(() => (hasEnded = true))
  const isServing = () =>
    fetch(`${issuer}/.well-known/openid-configuration`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isServing())) {
    if (hasEnded || Date.now() > deadline)
      throw new Error(`Keycloak did not come up:\n${server.lines.slice(-20).join('\n')}`)
    await pause(250)
  }
}

/** Resolves when the realm is served. Rejects with Keycloak's last lines, nothing left running and no folder left. */
export async function startKeycloak(options: KeycloakOptions): Promise<Keycloak> {
  const java = findJava(process.env)
  const archive = await fetchKeycloak(java)
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-keycloak-'))
  const begun = Date.now()
  const server = launch(unpack(archive, folder), java, options)
  const stop = async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await untilServing(server, issuerAt(options.port))
  } catch (error) {
    await stop()
    throw error
  }
  const seconds = ((Date.now() - begun) / 1000).toFixed(0)
  return {
    describe: `Keycloak ${KEYCLOAK_VERSION} on Java ${java.version}, up after ${seconds} s`,
    stop,
  }
}

// Keycloak as it is published, fetched once by Maven into .cache/keycloak: one version, known by its hash.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, rmSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { cacheFolder } from '../fetch/cache-folder.ts'
import type { Java } from './find-java.ts'

export const KEYCLOAK_VERSION = '26.7.3'
const SHA_256 = '77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47'
const ARTIFACT = `org.keycloak:keycloak-quarkus-dist:${KEYCLOAK_VERSION}:tar.gz`
const MAVEN_PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy'

const ARCHIVE = `keycloak-quarkus-dist-${KEYCLOAK_VERSION}.tar.gz`

function download(maven: string, folder: string): void {
  mkdirSync(folder, { recursive: true })
  const what = [`-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${folder}`]
  const { status, error, stdout } = spawnSync(
    maven,
    ['--batch-mode', '--quiet', MAVEN_PLUGIN, ...what],
    { cwd: folder, encoding: 'utf8' },
  )
  if (status === 0) return
  const reason = error?.message ?? stdout.trim().split('\n').slice(0, 3).join(' ')
  throw new Error(`Maven could not fetch ${ARTIFACT}: ${reason}`)
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** The path of the archive. Rejects, and removes it, when it is not the one that is known here. */
export async function fetchKeycloak({ maven }: Pick<Java, 'maven'>): Promise<string> {
  const file = cacheFolder('keycloak', ARCHIVE)
  if (!existsSync(file)) download(maven, cacheFolder('keycloak'))
  const found = await sha256Of(file)
  if (found === SHA_256) return file
  rmSync(file)
  throw new Error(`${ARCHIVE}: expected SHA-256 ${SHA_256}, found ${found}. It was removed.`)
}

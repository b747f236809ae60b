// Finds a Redis server program, or fetches one without root.
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './fetch/cache-folder.ts'
import {
  canFetchDebianPackages,
  libraryPath,
  unpackDebianPackages,
  writeLauncher,
} from './fetch/debian-packages.ts'
import { programFromEnvironment, which } from './which.ts'

export interface FoundProgram {
  path: string
  /** Said to the person: where it was taken from. */
  source: string
}

const VARIABLE = 'AUTH_ADAPTER_REDIS_SERVER'
const ADVICE = [
  'No Redis server was found, and none could be fetched. Any one of these helps:',
  '  apt-get install redis-server        (Debian, Ubuntu)',
  '  brew install redis                  (macOS)',
  `  ${VARIABLE}=/path/to/redis-server`,
]

/** Debian's redis-tools holds the server too: redis-check-rdb is the same program under another name. */
function fetchRedis(): string {
  const launcher = cacheFolder('redis', 'redis-server')
  if (existsSync(launcher)) return launcher
  const root = unpackDebianPackages('redis', ['redis-tools'])
  const server = join(root, 'usr', 'bin', 'redis-server')
  if (!existsSync(server)) symlinkSync('redis-check-rdb', server)
  return writeLauncher(launcher, server, { LD_LIBRARY_PATH: libraryPath(root) })
}

/** A program that runs as redis-server. Throws an Error whose message says what to do. */
export function findRedis(): FoundProgram {
  const configured = programFromEnvironment(VARIABLE)
  if (configured) return { path: configured, source: VARIABLE }
  const installed = which(['redis-server', 'valkey-server'])
  if (installed) return { path: installed, source: 'installed on this machine' }
  if (!canFetchDebianPackages()) throw new Error(ADVICE.join('\n'))
  try {
    return { path: fetchRedis(), source: "Debian's package, unpacked into .cache/redis" }
  } catch (error) {
    throw new Error(
      [...ADVICE, `The attempt to fetch it: ${(error as Error).message}`].join('\n'),
      { cause: error },
    )
  }
}

// Finds the openssl program (tests make throw-away certificates with it), or fetches it without root.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './fetch/cache-folder.ts'
import {
  canFetchDebianPackages,
  libraryPath,
  unpackDebianPackages,
  writeLauncher,
} from './fetch/debian-packages.ts'
import type { FoundProgram } from './find-redis.ts'
import { which } from './which.ts'

function fetchOpenssl(): string {
  const launcher = cacheFolder('openssl', 'openssl')
  if (existsSync(launcher)) return launcher
  const root = unpackDebianPackages('openssl', ['openssl'])
  // Its compiled-in configuration file is not on this machine.
  const settings = {
    LD_LIBRARY_PATH: libraryPath(root),
    OPENSSL_CONF: join(root, 'etc', 'ssl', 'openssl.cnf'),
  }
  return writeLauncher(launcher, join(root, 'usr', 'bin', 'openssl'), settings)
}

/** Throws an Error whose message says what to do. */
export function findOpenssl(): FoundProgram {
  const installed = which(['openssl'])
  if (installed) return { path: installed, source: 'installed on this machine' }
  if (!canFetchDebianPackages()) throw new Error('No openssl was found: install it')
  return { path: fetchOpenssl(), source: "Debian's package, unpacked into .cache/openssl" }
}

// Finds a Chromium, or unpacks one that came with the packages.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheFolder } from './fetch/cache-folder.ts'
import {
  canFetchDebianPackages,
  libraryPath,
  unpackDebianPackages,
  writeLauncher,
} from './fetch/debian-packages.ts'
import type { FoundProgram } from './find-redis.ts'
import { programFromEnvironment, which } from './which.ts'

const VARIABLE = 'AUTH_ADAPTER_CHROMIUM'
/** Chromium without the windows and services of a desktop program: the same engine, for half the CPU a page. */
const HEADLESS_NAMES = ['chromium-headless-shell', 'chrome-headless-shell']
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const ADVICE = [
  'No Chromium was found, and none could be fetched. Any one of these helps:',
  '  apt-get install chromium            (Debian)',
  '  npx playwright install chromium     (anywhere its download host can be reached)',
  `  ${VARIABLE}=/path/to/chromium`,
]

async function playwrightsOwn(): Promise<FoundProgram | undefined> {
  const { chromium } = await import('playwright')
  const path = chromium.executablePath()
  return existsSync(path) ? { path, source: "Playwright's own" } : undefined
}

const INFLATE = `
  import { inflate } from '@sparticuz/chromium'
  for (const archive of process.argv.slice(1)) await inflate(archive)
`

/** The package's own names fixed folders that are not ours; without any font Chromium ends at the first text. */
const fontsConf = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${folder}/cache</cachedir>
</fontconfig>
`

/** The package inflates into the temp folder under a fixed name; TMPDIR makes that a folder of this run's own. */
function unpackSparticuz(): string {
  const target = cacheFolder('chromium', 'sparticuz')
  const launcher = cacheFolder('chromium', 'chromium')
  if (existsSync(launcher)) return launcher
  const archives = join(import.meta.dirname, '..', 'node_modules', '@sparticuz', 'chromium', 'bin')
  const work = cacheFolder('chromium', `work.${process.pid}`)
  mkdirSync(work, { recursive: true })
  const files = readdirSync(archives).map((file) => join(archives, file))
  const options = {
    env: { ...process.env, TMPDIR: work },
    encoding: 'utf8',
    cwd: join(import.meta.dirname, '..'),
  } as const
  const unpacking = spawnSync(
    process.execPath,
    ['--input-type=module', '--eval', INFLATE, ...files],
    options,
  )
  if (unpacking.status !== 0)
    throw new Error(`Could not unpack @sparticuz/chromium: ${unpacking.stderr}`)
  writeFileSync(join(work, 'fonts', 'fonts.conf'), fontsConf(join(target, 'fonts')))
  if (!existsSync(target)) renameSync(work, target)
  rmSync(work, { recursive: true, force: true })
  const settings = {
    LD_LIBRARY_PATH: join(target, 'al2023', 'lib'),
    FONTCONFIG_PATH: join(target, 'fonts'),
  }
  return writeLauncher(launcher, join(target, 'chromium'), settings)
}

function unpackDebians(): string {
  const launcher = cacheFolder('chromium-debian', 'chromium')
  if (existsSync(launcher)) return launcher
  const root = unpackDebianPackages('chromium-debian', ['chromium-headless-shell'])
  const program = join(root, 'usr', 'lib', 'chromium', 'chromium-headless-shell')
  return writeLauncher(launcher, program, { LD_LIBRARY_PATH: libraryPath(root) })
}

function installed(names: readonly string[]): FoundProgram | undefined {
  const path = which(names)
  return path === undefined ? undefined : { path, source: 'installed on this machine' }
}

/** The headless shell that the lockfile brings; undefined where it does not run. */
function lockedBrowser(): FoundProgram | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined
  const path = unpackSparticuz()
  const isRunning = spawnSync(path, ['--version']).status === 0
  return isRunning
    ? { path, source: '@sparticuz/chromium, unpacked into .cache/chromium' }
    : undefined
}

function debiansBrowser(): FoundProgram | undefined {
  if (!canFetchDebianPackages()) return undefined
  return { path: unpackDebians(), source: "Debian's package, unpacked into .cache/chromium-debian" }
}

/** In this order; one that is there for free comes before one that is fetched. */
const SOURCES: readonly (() => FoundProgram | undefined | Promise<FoundProgram | undefined>)[] = [
  () => installed(HEADLESS_NAMES),
  lockedBrowser,
  () => installed(NAMES),
  playwrightsOwn,
  debiansBrowser,
]

/** A program that Playwright can drive as Chromium. Throws an Error whose message says what to do. */
export async function findBrowser(): Promise<FoundProgram> {
  const configured = programFromEnvironment(VARIABLE)
  if (configured) return { path: configured, source: VARIABLE }
  const attempts: string[] = []
  for (const source of SOURCES) {
    try {
      const found = await source()
      if (found) return found
    } catch (error) {
      attempts.push(`An attempt to fetch it: ${(error as Error).message}`)
    }
  }
  throw new Error([...ADVICE, ...attempts].join('\n'))
}

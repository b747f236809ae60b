// Fetches Debian packages and what they need beyond the installed ones, and unpacks them into a folder of ours: no root,
// nothing installed, no service started.
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { which } from '../which.ts'
import { cacheFolder } from './cache-folder.ts'

const LISTS = cacheFolder('apt', 'lists')
/** apt's own sandbox user can not write into our folders. */
const AS_WE_ARE = ['-o', 'APT::Sandbox::User=', '-o', 'Debug::NoLocking=1']
/** Package lists of our own, for machines whose lists were cleaned away (container images) and where we are not root. */
const OWN_LISTS = [
  '-o',
  `Dir::State::Lists=${LISTS}`,
  '-o',
  `Dir::Cache=${cacheFolder('apt', 'cache')}`,
]

function run(command: string, args: readonly string[], folder?: string): string {
  const options = {
    encoding: 'utf8',
    cwd: folder,
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 64 * 1024 * 1024,
  } as const
  const result = spawnSync(command, args, options)
  if (result.status === 0) return result.stdout
  const reason = result.error?.message ?? result.stderr.trim().split('\n').slice(-3).join(' ')
  throw new Error(
    `${command} ${args.find((arg) => !arg.startsWith('-') && !arg.includes('::')) ?? ''} failed: ${reason}`,
  )
}

/** `name=version` of each package that an installation would add, the asked ones always among them. */
function plan(packages: readonly string[], options: readonly string[]): string[] {
  const simulated = run('apt-get', [
    ...AS_WE_ARE,
    ...options,
    '--simulate',
    '--no-install-recommends',
    '--reinstall',
    'install',
    ...packages,
  ])
  return [...simulated.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
    ([, name, version]) => `${name}=${version}`,
  )
}

function download(packages: readonly string[], options: readonly string[], folder: string): void {
  run('apt-get', [...AS_WE_ARE, ...options, 'download', ...plan(packages, options)], folder)
}

/** With the machine's own package lists; where they are gone or out of date, with fresh ones of ours. */
function downloadWithLists(packages: readonly string[], folder: string): void {
  try {
    download(packages, [], folder)
  } catch {
    mkdirSync(join(LISTS, 'partial'), { recursive: true })
    mkdirSync(cacheFolder('apt', 'cache', 'archives', 'partial'), { recursive: true })
    run('apt-get', [...AS_WE_ARE, ...OWN_LISTS, 'update'])
    download(packages, OWN_LISTS, folder)
  }
}

/** True where Debian's own tools are there to fetch with. */
export const canFetchDebianPackages = (): boolean =>
  which(['apt-get']) !== undefined && which(['dpkg-deb']) !== undefined

/** Fetches and unpacks into a folder below `.cache/<name>`; a second call finds it there. Throws with apt's own words. */
export function unpackDebianPackages(name: string, packages: readonly string[]): string {
  const target = cacheFolder(name, 'root')
  if (existsSync(target)) return target
  const work = cacheFolder(name, `work.${process.pid}`)
  mkdirSync(join(work, 'root'), { recursive: true })
  try {
    downloadWithLists(packages, work)
    const archives = readdirSync(work).filter((file) => file.endsWith('.deb'))
    for (const archive of archives) run('dpkg-deb', ['-x', join(work, archive), join(work, 'root')])
    // A rename is all or nothing: a run beside this one finds a whole folder or none.
    if (!existsSync(target)) renameSync(join(work, 'root'), target)
    return target
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** Writes an executable at `file` that runs `program` with these environment variables; empty ones are left out. */
export function writeLauncher(
  file: string,
  program: string,
  environment: Record<string, string>,
): string {
  const set = Object.entries(environment).filter(([, value]) => value !== '')
  const settings = set.map(([key, value]) => `export ${key}=${quoted(value)}`)
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, ['#!/bin/sh', ...settings, `exec ${quoted(program)} "$@"`, ''].join('\n'))
  chmodSync(draft, 0o755)
  renameSync(draft, file)
  return file
}

/** Every folder of `root` that holds shared libraries, for LD_LIBRARY_PATH. */
export function libraryPath(root: string): string {
  const folders = ['lib', 'usr/lib']
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(folder))
  const nested = folders.flatMap((folder) =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name)),
  )
  return [...folders, ...nested]
    .filter((folder) => readdirSync(folder).some((file) => file.includes('.so')))
    .join(':')
}

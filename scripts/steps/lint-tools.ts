// The linter and the formatter: installed into tools/lint on first use, at the exact versions of its package.json.
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { NODE } from '../managed-process.ts'
import { ROOT, runProgram } from './run-program.ts'

const FOLDER = join(ROOT, 'tools', 'lint')
const BINARIES = join(FOLDER, 'node_modules', '.bin')

interface Manifest {
  version?: string
  dependencies?: Record<string, string>
}

const readManifest = (...parts: readonly string[]) =>
  JSON.parse(readFileSync(join(FOLDER, ...parts, 'package.json'), 'utf8')) as Manifest

function isInstalled([name, version]: [string, string]): boolean {
  const folder = join(FOLDER, 'node_modules', name)
  return existsSync(folder) && readManifest('node_modules', name).version === version
}

/** Rejects when they are not there and could not be installed. */
export async function installLintTools(): Promise<void> {
  if (Object.entries(readManifest().dependencies ?? {}).every(isInstalled)) return
  process.stdout.write('Installing the linter and the formatter into tools/lint …\n')
  const exitCode = await runProgram('npm', ['install', '--prefix', FOLDER, '--loglevel=error'])
  if (exitCode !== 0)
    throw new Error('The linter could not be installed: is the npm registry reachable?')
}

/** Resolves with the exit code. */
export function lintTool(name: 'oxlint' | 'oxfmt', args: readonly string[]): Promise<number> {
  // oxlint looks for its type-aware part on PATH.
  const path = [BINARIES, dirname(NODE), process.env['PATH']].join(delimiter)
  return runProgram(NODE, [join(FOLDER, 'node_modules', name, 'bin', name), ...args], {
    ...process.env,
    PATH: path,
  })
}

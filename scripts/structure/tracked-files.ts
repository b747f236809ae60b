// The files of the checkout that belong to it: all that git does not ignore, or, without git, all outside generated folders.
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const GENERATED = /(^|\/)(node_modules|data|\.cache|coverage|test-results|\.git)(\/|$)/
const TEXT =
  /\.(ts|mjs|js|json|ya?ml|md|css|html|sh|txt)$|(^|\/)(Dockerfile|run|\.npmrc|\.gitignore|\.dockerignore)$/

function listed(): string[] {
  const git = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  })
  if (git.status === 0) return git.stdout.split('\n').filter(Boolean)
  return globSync('**/*', { cwd: ROOT, exclude: (path) => GENERATED.test(path) })
}

/** Text by path from the top of the checkout. */
export function trackedFiles(): Map<string, string> {
  const paths = listed().filter(
    (path) =>
      TEXT.test(path) && existsSync(join(ROOT, path)) && statSync(join(ROOT, path)).isFile(),
  )
  return new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
}

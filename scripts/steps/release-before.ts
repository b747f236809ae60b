// The release that a rolling upgrade begins at: what AUTH_ADAPTER_UPGRADE_FROM names, else the newest tag, and as long as
// there is none the commit before.
import { spawnSync } from 'node:child_process'
import { ROOT } from './run-program.ts'

/** A name that git knows. Throws an Error that says what to do when there is none. */
export function releaseBefore(env: NodeJS.ProcessEnv, folder = ROOT): string {
  const git = (...args: string[]) => {
    const { status, stdout } = spawnSync('git', args, { cwd: folder, encoding: 'utf8', env })
    return status === 0 ? stdout.trim() : undefined
  }
  const named = env['AUTH_ADAPTER_UPGRADE_FROM']
  const tags = git('tag', '--list', 'v*', '--sort=-v:refname', '--merged', 'HEAD~1') ?? ''
  const release = named || tags.split('\n')[0] || 'HEAD~1'
  if (git('rev-parse', '--verify', '--quiet', `${release}^{commit}`) !== undefined) return release
  throw new Error(
    named
      ? `AUTH_ADAPTER_UPGRADE_FROM: expected a tag or commit of this repository, found "${named}"`
      : 'A rolling upgrade needs git and the history of the repository, at least the commit before this one: a shallow clone gets it with `git fetch --unshallow`',
  )
}

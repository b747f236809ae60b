import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PARTS, partsNamed } from './nightly-parts.ts'
import { releaseBefore } from './release-before.ts'
import { ROOT } from './run-program.ts'

const WITHOUT = { PATH: '/nowhere' }
const named = (name: string, env: NodeJS.ProcessEnv) =>
  (partsNamed([name])[0] ?? (() => []))(env).map((step) => step.name)
const run = async (name: string, env: NodeJS.ProcessEnv) => partsNamed([name])[0]?.(env)[0]?.run()

describe('parts of the nightly run', () => {
  it('are all that is not in another of them where none is named', () => {
    const { kills: _, ...usual } = PARTS
    expect(partsNamed([])).toEqual(Object.values(usual))
    expect(partsNamed(['kills', 'rolling'])).toEqual([PARTS['kills'], PARTS['rolling']])
  })

  it('are each in the README', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const section = readme.slice(readme.indexOf('## Tests and bench'))
    for (const name of Object.keys(PARTS)) expect(section).toContain(`-- ${name}\``)
  })

  it.each(['rollin', 'toString', ''])('a name that is none, %j: says what there is', (name) => {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/nightly.ts', name], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    const parts = 'rounds, e2e, rolling, kills, upgrade, keycloak'
    expect(stdout).toBe(`There is no part "${name}": expected ${parts}\n\n0 passed, 1 failed\n`)
    expect(status).toBe(1)
  })

  it('are as large as is asked for', () => {
    const about = (logins: string) => [
      `rolling restarts under ${logins} logins and as many refreshes`,
    ]
    expect(named('rolling', {})).toEqual(about('10000'))
    expect(named('rolling', { AUTH_ADAPTER_ROLLING_LOGINS: '500' })).toEqual(about('500'))
  })

  it.each([
    ['rolling', 'AUTH_ADAPTER_ROLLING_LOGINS', '10k', 300],
    ['rolling', 'AUTH_ADAPTER_ROLLING_LOGINS', '299', 300],
    ['upgrade', 'AUTH_ADAPTER_UPGRADE_LOGINS', '', 1000],
    ['kills', 'AUTH_ADAPTER_KILL_REPEATS', '0', 1],
  ])('%s with %s=%s: says what is expected', (part, name, given, least) => {
    const why = `${name}: expected a number from ${least} to 9999999, found "${given}"`
    expect(() => named(part, { [name]: given })).toThrow(why)
  })

  it.each([
    ['keycloak', /^Keycloak needs Java 17 or later, and Maven to fetch it\./],
    ['upgrade', /^A rolling upgrade needs git and the history of the repository/],
  ])('%s on a machine without what it needs: not begun, and why', async (part, why) => {
    await expect(run(part, WITHOUT)).rejects.toThrow(why)
  })
})

describe(releaseBefore, () => {
  const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-release-'))
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@t.test', ...args], {
      cwd: folder,
    })
  const commit = () => git('commit', '-q', '--allow-empty', '-m', 'empty')
  const { PATH } = process.env
  const before = (env = {}) => releaseBefore({ PATH, ...env }, folder)
  beforeAll(() => void git('init', '-q'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is the commit before, then the newest tag before; or what is named', () => {
    commit()
    expect(() => before()).toThrow(/the commit before this one/)
    commit()
    expect(before()).toBe('HEAD~1')
    git('tag', 'v1.9.0')
    git('tag', 'v1.10.0')
    expect(before()).toBe('HEAD~1')
    commit()
    expect(before()).toBe('v1.10.0')
    expect(before({ AUTH_ADAPTER_UPGRADE_FROM: 'v1.9.0' })).toBe('v1.9.0')
    const why = 'AUTH_ADAPTER_UPGRADE_FROM: expected a tag or commit of this repository, found "v2"'
    expect(() => before({ AUTH_ADAPTER_UPGRADE_FROM: 'v2' })).toThrow(why)
  })
})

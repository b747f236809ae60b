// Two releases over one store: three adapters are brought from the release before to this checkout and back, one after the other
// and more than once, while people sign in and apps refresh. Needs the history of the repository.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { releaseBefore } from '../../scripts/steps/release-before.ts'
import { startAdapterGroup, type AdapterGroup } from '../support/adapter-group.ts'
import { expect, test } from '../support/fixtures.ts'
import { steadyLoad } from '../support/steady-load.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const LOGINS = Number(process.env['AUTH_ADAPTER_UPGRADE_LOGINS'] ?? 2000)
/** Long enough a life for each to see both releases. */
const REFRESHES = 3

const git = (...args: string[]) =>
  execFileSync('git', args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  }).trim()

let folder: string
let group: AdapterGroup
test.beforeAll(async () => {
  test.setTimeout(120_000)
  const before = releaseBefore(process.env)
  folder = join(mkdtempSync(join(tmpdir(), 'auth-adapter-upgrade-')), 'before')
  git('worktree', 'add', '--detach', folder, before)
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  process.stdout.write(`from ${before} (${git('rev-parse', '--short', before)})\n`)
  group = await startAdapterGroup({ folder })
})
test.afterAll(async () => {
  await group.stop()
  git('worktree', 'remove', '--force', folder)
  rmSync(join(folder, '..'), { recursive: true, force: true })
})

test('F52 upgraded one by one and back, again and again: no login and no refresh fails', async () => {
  test.setTimeout(60_000 + LOGINS * REFRESHES * 300)
  let isOver = false
  const load = steadyLoad(group.chain, { logins: LOGINS, refreshes: REFRESHES, parallel: 8 })
  const whole = load.finally(() => (isOver = true))
  let restarts = 0
  while (!isOver) {
    const index = restarts % group.adapters.length
    const isUpgrade = Math.floor(restarts / group.adapters.length) % 2 === 0
    group.runFrom(index, isUpgrade ? ROOT : folder)
    await group.restart(index)
    restarts += 1
  }
  const report = await whole
  process.stdout.write(
    `${report.logins} logins, ${report.refreshes} refreshes, ${restarts} restarts\n`,
  )
  expect(report.failures).toEqual([])
  expect(report).toMatchObject({ logins: LOGINS, refreshes: LOGINS * REFRESHES })
  expect(restarts).toBeGreaterThanOrEqual(2 * group.adapters.length)
})

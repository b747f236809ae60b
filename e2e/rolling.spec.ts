// Three adapter processes behind a plain TCP balancer, restarted in turn again and again while people sign in and apps
// refresh: nobody notices. No sticky sessions. A request goes out a second time only where its kept connection ended
// unanswered in that moment, as with browsers: now and then, and more often if the processes ended their connections rudely.
import { startAdapterGroup, type AdapterGroup } from './support/adapter-group.ts'
import { expect, test } from './support/fixtures.ts'
import { logged } from './support/pages.ts'
import { steadyLoad } from './support/steady-load.ts'

/** Logins, and a refresh of each. `npm run nightly -- rolling` asks for more. */
const LOGINS = Number(process.env['AUTH_ADAPTER_ROLLING_LOGINS'] ?? 1000)
const PARALLEL = 4
/** Of logins. Three of 800 operations met it before a process that stops said so on each connection. */
const RESENT_PER_THOUSAND = 3
const MS_EACH = 300

let group: AdapterGroup
test.beforeAll(async () => {
  test.setTimeout(60_000)
  group = await startAdapterGroup()
})
test.afterAll(() => group.stop())

test(`F51 rolling restarts under ${LOGINS} logins and ${LOGINS} refreshes: none fails`, async () => {
  test.setTimeout(60_000 + LOGINS * MS_EACH)
  const startedAt = performance.now()
  let isOver = false
  const load = steadyLoad(group.chain, { logins: LOGINS, refreshes: 1, parallel: PARALLEL })
  const whole = load.finally(() => (isOver = true))
  let restarts = 0
  while (!isOver) {
    await group.restart(restarts % group.adapters.length)
    restarts += 1
  }
  const report = await whole
  const seconds = (performance.now() - startedAt) / 1000
  process.stdout.write(
    `${report.logins} logins, ${report.refreshes} refreshes, ${restarts} restarts in ${seconds.toFixed(0)} s; slowest login ${report.slowestMs.toFixed(0)} ms, ${report.resent} requests sent again\n`,
  )
  expect(report.failures).toEqual([])
  expect(report).toMatchObject({ logins: LOGINS, refreshes: LOGINS })
  expect(restarts).toBeGreaterThanOrEqual(group.adapters.length)
  expect(report.resent).toBeLessThanOrEqual(Math.ceil((LOGINS * RESENT_PER_THOUSAND) / 1000))
  for (const { name, lines } of group.adapters) {
    expect(logged(lines, 'login.finished').length, name).toBeGreaterThan(0)
    expect(lines.filter((line) => line.includes('"level":"error"'))).toEqual([])
  }
})

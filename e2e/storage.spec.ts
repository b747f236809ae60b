// The store dead, slow, locked, full or damaged: a page instead of a hang, and logins again as soon as it is back.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { refusalOf, startAdapter } from './support/adapter-process.ts'
import { expect, fillSignIn, test } from './support/fixtures.ts'
import { holdNavigation } from './support/hold-navigation.ts'
import { authorizationRequest } from './support/http-client.ts'
import {
  expectSignedIn,
  finishSignIn,
  followWaysOn,
  isFormShown,
  openApp,
  tryAgain,
  tryAgainUntil,
} from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'
import { freePorts } from '../scripts/ports.ts'

/** Far above the 600 ms of a healthy machine: these tests say "no hang", the driver's own say how fast. */
const NO_HANG_MS = 1500
const NO_STORE = { name: 'We can not sign you in right now' }

interface Answer {
  status: number
  body: string
  headers: Headers
  ms: number
}

async function timed(url: string | URL): Promise<Answer> {
  const startedAt = performance.now()
  const response = await fetch(url, { headers: { accept: 'text/html' }, redirect: 'manual' })
  return {
    status: response.status,
    headers: response.headers,
    body: await response.text(),
    ms: performance.now() - startedAt,
  }
}

const authorize = (chain: Chain) => timed(authorizationRequest(chain).url)

function expectUnavailable({ status, body, headers, ms }: Answer): void {
  expect(status).toBe(503)
  expect(body).toContain(NO_STORE.name)
  expect(headers.get('retry-after')).toMatch(/^\d+$/)
  expect(ms).toBeLessThan(NO_HANG_MS)
}

const PATHS_WITHOUT_STORE = ['/.well-known/openid-configuration', '/oauth2/jwks', '/ping']

async function statusesWithoutStore({ adapterUrl }: Chain): Promise<number[]> {
  const answers = await Promise.all(PATHS_WITHOUT_STORE.map((path) => timed(adapterUrl + path)))
  return answers.map(({ status }) => status)
}

async function expectStoreless(chain: Chain): Promise<void> {
  expectUnavailable(await authorize(chain))
  expect((await timed(`${chain.adminUrl}/healthz`)).status).toBe(200)
  const readiness = await timed(`${chain.adminUrl}/readyz`)
  expect([readiness.status, JSON.parse(readiness.body)]).toEqual([
    503,
    expect.objectContaining({ status: 'not_ready' }),
  ])
  expect(readiness.ms).toBeLessThan(NO_HANG_MS)
}

/** How long it takes until a login can begin. */
async function recoveryMs(chain: Chain): Promise<number> {
  const backAt = performance.now()
  await expect(async () => expect((await authorize(chain)).status).toBe(302)).toPass({
    intervals: [25],
    timeout: 10_000,
  })
  expect((await timed(`${chain.adminUrl}/readyz`)).status).toBe(200)
  return performance.now() - backAt
}

test.describe('Redis', () => {
  let chain: Chain
  test.beforeAll(async () => {
    chain = await startChain({ storage: 'redis' })
  })
  test.afterAll(() => chain.stop())
  test.afterEach(async () => {
    chain.redis?.signal('SIGCONT')
    await chain.redis?.start()
  })

  test('F20 dead before a login: 503 page, keys and metadata served, not ready but alive; the next login works within a second', async ({
    page,
  }) => {
    await chain.redis?.kill()
    await expectStoreless(chain)
    expect(await statusesWithoutStore(chain)).toEqual([200, 200, 200])
    await chain.redis?.start()
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
    await openApp(page, chain)
    await finishSignIn(page)
  })

  test('F20 dead when the adapter starts: it serves, says 503, and works once Redis is there', async ({
    page,
  }) => {
    await chain.redis?.kill()
    await chain.adapter.restart()
    await expectStoreless(chain)
    // Its signing keys are in Redis, so there is nothing to say about them yet.
    expect(await statusesWithoutStore(chain)).toEqual([503, 503, 200])
    await chain.redis?.start()
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
    await openApp(page, chain)
    await finishSignIn(page)
  })

  test('F21 dead while the form is open: the callback gets the page, and Try again finishes the same login', async ({
    page,
  }) => {
    await openApp(page, chain)
    await chain.redis?.kill()
    await fillSignIn(page)
    await expect(page.getByRole('heading', NO_STORE)).toBeVisible()
    expect(page.url()).toContain('/login/oauth2/code/test-auth-server')
    await tryAgain(page).click()
    await expect(page.getByRole('heading', NO_STORE)).toBeVisible()
    await chain.redis?.start()
    await recoveryMs(chain)
    await tryAgain(page).click()
    await expectSignedIn(page)
  })

  const LATER_STEPS = [
    {
      name: 'resume',
      isStep: ({ origin, pathname }: URL) =>
        origin === chain.adapterUrl && pathname.startsWith('/oauth2/authorize/'),
      page: NO_STORE,
    },
    {
      name: 'the token call',
      isStep: ({ origin, pathname }: URL) =>
        origin === chain.appUrl && pathname.startsWith('/login/'),
      page: { name: 'The adapter does not answer' },
    },
  ]
  for (const { name, isStep, page: shown } of LATER_STEPS) {
    test(`F21 dead at ${name}: a page, and its way on ends signed in`, async ({ page }) => {
      await openApp(page, chain)
      const hold = await holdNavigation(page, isStep)
      fillSignIn(page).catch(() => undefined)
      const held = await hold.reached
      await chain.redis?.kill()
      await held.release()
      await expect(page.getByRole('heading', shown)).toBeVisible()
      await chain.redis?.start()
      await followWaysOn(page)
    })
  }

  test('F22 silent: every request is answered with the page in time, and nothing piles up', async () => {
    await authorize(chain)
    chain.redis?.signal('SIGSTOP')
    await expectStoreless(chain)
    expect(await statusesWithoutStore(chain)).toEqual([200, 200, 200])
    const many = await Promise.all(Array.from({ length: 50 }, () => authorize(chain)))
    expect(new Set(many.map(({ status }) => status))).toEqual(new Set([503]))
    expect(Math.max(...many.map(({ ms }) => ms))).toBeLessThan(2 * NO_HANG_MS)
    chain.redis?.signal('SIGCONT')
    expect(await recoveryMs(chain)).toBeLessThan(NO_HANG_MS)
  })
})

test.describe('SQLite', () => {
  let chain: Chain
  let other: DatabaseSync
  test.beforeAll(async () => {
    chain = await startChain({ storage: 'sqlite' })
    other = new DatabaseSync(join(chain.dataFolder, 'adapter.sqlite'), { timeout: 5000 })
  })
  test.afterAll(async () => {
    other.close()
    await chain.stop()
  })

  test('F35 locked by another process: waits at most 2 s, then the page; others are served meanwhile; it works after the release', async ({
    page,
  }) => {
    other.exec('BEGIN EXCLUSIVE')
    const waiting = authorize(chain)
    const keys = await timed(`${chain.adapterUrl}/oauth2/jwks`)
    const { status, ms } = await waiting
    expect([keys.status, status]).toEqual([200, 503])
    expect(keys.ms).toBeLessThan(ms)
    expect(ms).toBeLessThan(2500)
    await openApp(page, chain)
    await expect(page.getByRole('heading', NO_STORE)).toBeVisible()
    other.exec('ROLLBACK')
    await tryAgainUntil(page, isFormShown(page))
    await finishSignIn(page)
  })

  test('F35 locked for a moment: the login does not notice', async ({ page }) => {
    other.exec('BEGIN EXCLUSIVE')
    const waiting = openApp(page, chain)
    // Held until the request is there: it has been sent when the app has redirected.
    await page.waitForRequest((request) =>
      request.url().startsWith(`${chain.adapterUrl}/oauth2/authorize?`),
    )
    other.exec('ROLLBACK')
    expect(await waiting).toBe(200)
    await finishSignIn(page)
  })
})

test.describe('a SQLite file that can not be used', () => {
  let folder: string
  let file: string
  test.beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'auth-adapter-e2e-'))
    file = join(folder, 'adapter.sqlite')
  })
  test.afterEach(() => {
    chmodSync(folder, 0o700)
    rmSync(folder, { recursive: true, force: true })
  })

  async function makeDatabase(): Promise<void> {
    const adapter = startAdapter({ folder })
    await adapter.listening
    await adapter.stop()
  }

  const cases: readonly {
    what: string
    harm: () => void
    says: RegExp
    under?: readonly string[]
  }[] = [
    {
      what: 'damaged in the middle',
      harm: () => writeFileSync(file, Buffer.from(readFileSync(file)).fill(0x5a, 4096)),
      says: /is damaged.*(Restore it from a backup|move it away)/,
    },
    {
      what: 'no database at all',
      harm: () => writeFileSync(file, 'hello '.repeat(2000)),
      says: /not a SQLite database.*(Restore it|move it away)/,
    },
    {
      what: 'cut off',
      harm: () => writeFileSync(file, readFileSync(file).subarray(0, 5000)),
      says: /is damaged.*(Restore it from a backup|move it away)/,
    },
    {
      what: 'written by a later release',
      harm: () => {
        const database = new DatabaseSync(file)
        database.exec('PRAGMA user_version = 99')
        database.close()
      },
      says: /schema is version 99.*(Start the release that wrote it|move the file away)/,
    },
    {
      what: 'in a folder where nothing may be written',
      harm: () => {
        chmodSync(file, 0o400)
        chmodSync(folder, 0o500)
      },
      says: /(read-only|can not be opened).*Give this user the right/,
      // Root may write everywhere, unless it gives that up.
      under:
        process.getuid?.() === 0
          ? ['setpriv', '--bounding-set=-dac_override', '--inh-caps=-dac_override']
          : [],
    },
  ]

  for (const { what, harm, says, under = [] } of cases) {
    test(`F37 ${what}: refuses to start, names file and remedy, and leaves it as it is`, async () => {
      await makeDatabase()
      harm()
      const before = readFileSync(file)
      const { code, said, ms } = await refusalOf({
        folder,
        configFile: join(folder, 'auth-adapter.yaml'),
        under,
      })
      expect(code).toBe(1)
      expect(said).toContain(file)
      expect(said).toMatch(says)
      expect(said).not.toContain('    at ')
      expect(ms).toBeLessThan(5000)
      expect(readFileSync(file).equals(before)).toBe(true)
    })
  }

  test('F36 no space left: logins get the page, keys are served, and it works again without a restart or damage', async () => {
    const [port = 0] = await freePorts(1)
    const adapterUrl = `http://127.0.0.1:${port}`
    const start = () =>
      timed(authorizationRequest({ appUrl: 'http://127.0.0.1:8080', adapterUrl }).url)
    // As on a full disk, every write beyond the limit fails.
    const under = ['prlimit', `--fsize=${256 * 1024}:unlimited`]
    const adapter = startAdapter({
      folder,
      config: { issuer: adapterUrl, listen: { port } },
      under,
    })
    await adapter.listening
    try {
      let answer = await start()
      expect(answer.status).toBe(302)
      for (let logins = 1; answer.status === 302 && logins < 1000; logins += 1)
        answer = await start()
      expectUnavailable(answer)
      expect((await timed(`${adapterUrl}/oauth2/jwks`)).status).toBe(200)
      execFileSync('prlimit', ['--pid', String(adapter.pid), '--fsize=unlimited'])
      expect((await start()).status).toBe(302)
    } finally {
      await adapter.stop()
    }
    const database = new DatabaseSync(file)
    expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
    database.close()
  })
})

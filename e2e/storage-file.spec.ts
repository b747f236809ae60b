// The SQLite file locked, full or damaged: a page instead of a hang, and a refusal to start that says what to do.
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { freePorts } from '../scripts/ports.ts'
import { refusalOf, startAdapter } from './support/adapter-process.ts'
import { expect, test } from './support/fixtures.ts'
import { authorizationRequest } from './support/http-client.ts'
import { finishSignIn, isFormShown, openApp, tryAgainUntil } from './support/pages.ts'
import { startChain, type Chain } from './support/processes.ts'
import { authorize, expectUnavailable, NO_STORE, timed } from './support/store-outage.ts'

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

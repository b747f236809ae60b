// The app on a free port with a folder of its own, for tests.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLog } from '../../service/log.ts'
import { createLogRing } from '../live-log/log-ring.ts'
import { createTestApp } from '../server.ts'
import type { TestAppOptions } from '../parts.ts'
import type { TestApp } from '../server.ts'

export interface RunningApp {
  readonly url: string
  /** Every log line so far. */
  readonly log: { readonly text: string }
  readonly clock: { offsetMs: number }
  /** Builds the app anew on the same port, folder and settings, as a restart does. */
  restart(change?: Partial<TestAppOptions>): Promise<void>
  stop(): Promise<void>
}

type Target = Partial<TestAppOptions> & { readonly issuer: string }

/** What the app works with may depend on where it listens: an adapter is told of its clients' addresses when it starts. */
export async function startTestApp(
  issuer: string | ((url: string) => Promise<Target>),
  change: Partial<TestAppOptions> = {},
): Promise<RunningApp> {
  const folder = mkdtempSync(path.join(tmpdir(), 'test-app-'))
  const log = { text: '' }
  const clock = { offsetMs: 0 }
  const logRing = createLogRing()
  let app: TestApp | undefined
  let detach = (): void => {}
  const server = createServer((req, res) => app?.handler(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const build = (found: Target, more: Partial<TestAppOptions>): TestApp =>
    createTestApp({
      url,
      clientId: 'client',
      clientSecret: 'secret',
      scope: 'openid profile read',
      // Nobody listens there.
      identityUrl: 'http://127.0.0.1:9',
      cookieName: 'TEST_APP_SESSION',
      dataFolder: folder,
      log: createLog({
        level: 'trace',
        pretty: false,
        destination: { write: (line) => void (log.text += line) },
        copyTo: logRing,
      }),
      logRing,
      now: () => Date.now() + clock.offsetMs,
      ...found,
      ...change,
      ...more,
    })
  const end = async (): Promise<void> => {
    detach()
    await app?.close()
  }
  const begin = (found: Target, more: Partial<TestAppOptions>): void => {
    app = build(found, more)
    detach = app.attach(server)
  }
  const stop = async (): Promise<void> => {
    detach()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await app?.close()
    rmSync(folder, { recursive: true })
  }
  let found: Target = { issuer: '' }
  try {
    found = typeof issuer === 'string' ? { issuer } : await issuer(url)
    begin(found, {})
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url,
    log,
    clock,
    async restart(more = {}) {
      await end()
      begin(found, more)
    },
    stop,
  }
}

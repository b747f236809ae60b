// The process: environment → listen → app.
import type { RequestListener } from 'node:http'
import { EnvError } from '../service/env.ts'
import { listen, ListenError } from '../service/listen.ts'
import { createLog } from '../service/log.ts'
import { onShutdown } from '../service/shutdown.ts'
import { TlsFilesError } from '../service/tls-files.ts'
import { environmentHelp, readEnvironment } from './environment.ts'
import type { TestAppSettings } from './environment.ts'
import { createLogRing } from './live-log/log-ring.ts'
import { createTestApp } from './server.ts'
import type { TestApp } from './server.ts'
import { SessionFileError } from './store/sqlite-file.ts'

async function start(settings: TestAppSettings): Promise<void> {
  const logRing = createLogRing()
  const log = createLog({ level: settings.logLevel, copyTo: logRing })
  // The public address may depend on the port, so the app is made once the port is open.
  const app = Promise.withResolvers<TestApp>()
  const handler: RequestListener = (req, res) =>
    void app.promise.then((ready) => ready.handler(req, res))
  const listening = await listen(handler, { ...settings, log, portSetting: 'TEST_APP_PORT' })
  const url = settings.url ?? listening.url
  const testApp = createTestApp({ ...settings, url, log, logRing })
  const detach = testApp.attach(listening.server)
  app.resolve(testApp)
  onShutdown({ log }, async () => {
    detach()
    await listening.close()
    await testApp.close()
  })
  log.info('listening', { url: listening.url })
}

const EXIT_CODES: readonly (readonly [
  kind: abstract new (...args: never) => Error,
  code: number,
])[] = [
  [EnvError, 2],
  [TlsFilesError, 2],
  [ListenError, 1],
  [SessionFileError, 1],
]

function fail(error: unknown): never {
  const known = EXIT_CODES.find(([kind]) => error instanceof kind)
  process.stderr.write(
    `test-app: ${known ? (error as Error).message : String((error as Error)?.stack ?? error)}\n`,
  )
  process.exit(known?.[1] ?? 1)
}

if (process.argv.includes('--help')) {
  process.stdout.write(environmentHelp(process.env))
} else {
  try {
    await start(readEnvironment(process.env))
  } catch (error) {
    fail(error)
  }
}

// The process: environment → server → listen.
import { EnvError, envHelp } from '../service/env.ts'
import { createLog } from '../service/log.ts'
import { onShutdown } from '../service/shutdown.ts'
import { environmentTable, readEnvironment } from './environment.ts'
import { startUpstreamTestServer } from './start.ts'

async function main(): Promise<void> {
  const { logLevel, start } = readEnvironment(process.env)
  const log = createLog({ level: logLevel })
  const server = await startUpstreamTestServer({ ...start, log })
  onShutdown({ log }, server.close)
  const control = server.controlUrl === undefined ? {} : { control_url: server.controlUrl }
  log.info('listening', { url: server.url, issuer: server.issuer, ...control })
}

if (process.argv.includes('--help')) {
  process.stdout.write(envHelp('node upstream-test-server/main.ts', environmentTable, process.env))
} else {
  main().catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error instanceof EnvError ? 2 : 1
  })
}

// `npm run worker`: environment → one run → exit code.
import { EnvError } from '../../service/env.ts'
import { readWorkerEnvironment, workerHelp } from './environment.ts'
import { runWorker } from './worker.ts'

async function main(): Promise<number> {
  const say = (line: string) => void process.stdout.write(`${line}\n`)
  if (process.argv.includes('--help')) {
    say(workerHelp(process.env))
    return 0
  }
  try {
    const settings = readWorkerEnvironment(process.env)
    return (await runWorker({ ...settings, now: Date.now, say })) ? 0 : 1
  } catch (error) {
    if (!(error instanceof EnvError)) throw error
    process.stderr.write(`worker: ${error.message}\n`)
    return 2
  }
}

process.exitCode = await main()

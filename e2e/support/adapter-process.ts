// The adapter without the rest of the chain: for what it says and how it ends when it can not start.
import { mkdirSync } from 'node:fs'
import { NODE, startProcess, type ManagedProcess } from '../../scripts/managed-process.ts'
import { writeChainConfig, type Settings } from './chain-config.ts'
import { withoutOurSettings } from './processes.ts'

export interface AdapterOptions {
  /** Its data and its configuration file go there; made when missing. */
  folder: string
  /** Merged over the demo configuration. */
  config?: Settings
  /** Instead of a file made from `config`. */
  configFile?: string
  env?: Readonly<Record<string, string>>
  /** A program and its arguments that run it, as `setpriv` or `prlimit`. */
  under?: readonly string[]
}

/** Listens on free ports unless the configuration says otherwise. */
export function startAdapter({
  folder,
  config = {},
  configFile,
  env = {},
  under = [],
}: AdapterOptions): ManagedProcess {
  mkdirSync(folder, { recursive: true })
  const file =
    configFile ?? writeChainConfig(folder, { listen: { port: 0 }, admin: { port: 0 } }, config)
  const script = ['adapter/main.ts', '--config', file]
  const [program, ...options] = under
  const line =
    program === undefined
      ? { command: NODE, args: script }
      : { command: program, args: [...options, NODE, ...script] }
  const own = {
    ...withoutOurSettings(process.env),
    NO_COLOR: '1',
    AUTH_ADAPTER_DATA: folder,
    ...env,
  }
  return startProcess({ name: 'adapter', ...line, env: own })
}

export interface Refusal {
  code: number | null
  /** Everything it wrote. */
  said: string
  ms: number
}

/** For a start that must fail; stops an adapter that serves and rejects then. */
export async function refusalOf(options: AdapterOptions): Promise<Refusal> {
  const startedAt = performance.now()
  const adapter = startAdapter(options)
  const isServing = await Promise.race([
    adapter.listening.then(
      () => true,
      () => false,
    ),
    adapter.ended.then(() => false),
  ])
  if (isServing) {
    await adapter.kill()
    throw new Error(`The adapter started: ${adapter.lines.at(-1)}`)
  }
  const { code } = await adapter.ended
  return { code, said: adapter.lines.join('\n'), ms: performance.now() - startedAt }
}

// Takes another configuration while the adapter runs: whole or not at all. Says in the log what changed, or why the one
// before stays. Who asks for it (a signal, a file, a command) is not decided here.
import { formatPlainFault } from '../config/format-fault.ts'
import { loadConfig, type ConfigSources, type LoadedConfig } from '../config/load-config.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError, type ConfigFault } from '../errors.ts'
import type { Adapter } from '../server.ts'
import type { AdjustableLog } from '../../service/log.ts'
import { diffConfig, type ConfigDiff } from './diff-config.ts'
import { contentsOf, filesOf, generationId } from './generation-id.ts'
import type { Generations } from './generations.ts'
import type { FileWatch } from '../../service/watch-files.ts'

export type ReloadTrigger = 'signal' | 'file' | 'command'

export type ReloadOutcome =
  | ({ outcome: 'taken' } & Omit<ConfigDiff, 'paths'>)
  | { outcome: 'unchanged' }
  /** Not valid: the one before stays. */
  | { outcome: 'rejected'; faults: readonly ConfigFault[] }
  /** Valid, but not while the adapter runs: the one before stays. */
  | { outcome: 'needs_restart'; settings: string[]; message: string }

export interface ReloadOptions {
  sources: ConfigSources
  /** In force now. */
  loaded: LoadedConfig
  generations: Generations
  /** @throws ConfigError when something can not be served as configured */
  build: (config: Config, generation: string) => Promise<Adapter>
  /** Told of each configuration that is taken; not waited for. */
  onTaken?: (config: Config) => Promise<void>
  /** Secret; the same in all processes. */
  key: string
  watch: Pick<FileWatch, 'stamps' | 'follow'>
  log: AdjustableLog
}

export type Reload = (trigger: ReloadTrigger) => Promise<ReloadOutcome>

/** Opened once at the start: ports, the store, and the keys in it; and the name that tokens carry. */
const FIXED = ['issuer', 'listen', 'admin', 'storage', 'data', 'keys', 'audit']

/** One at a time; whoever asks while one runs gets the one after it, which reads the file anew. */
export function createReload(options: ReloadOptions): Reload {
  let inForce = withContents(options.loaded)
  let last: Promise<unknown> = Promise.resolve()
  let next: Promise<ReloadOutcome> | undefined

  async function reload(trigger: ReloadTrigger): Promise<ReloadOutcome> {
    next = undefined
    const outcome = await attempt(options, inForce, (taken) => (inForce = taken))
    report(options.log, trigger, outcome)
    return outcome
  }

  return (trigger) => {
    next ??= last.then(() => reload(trigger))
    last = next.catch(() => undefined)
    return next
  }
}

type InForce = LoadedConfig & { contents: ReadonlyMap<string, string> }

function withContents(loaded: LoadedConfig): InForce {
  return { ...loaded, contents: contentsOf(loaded.config) }
}

async function attempt(
  options: ReloadOptions,
  inForce: InForce,
  take: (taken: InForce) => void,
): Promise<ReloadOutcome> {
  const { sources, watch } = options
  const stamps = watch.stamps()
  const read: string[] = []
  const follow = (files: Iterable<string>) => watch.follow([...read, ...files], stamps)
  try {
    const loaded = withContents(loadConfig({ ...sources, onRead: (file) => void read.push(file) }))
    follow(filesOf(loaded.config).values())
    const { paths, ...diff } = diffConfig(inForce, loaded)
    if (paths.length === 0) return { outcome: 'unchanged' }
    const fixed = paths.filter((path) => FIXED.includes(path.split('.', 1)[0] ?? ''))
    if (fixed.length > 0) return needsRestart(fixed)
    await swap(options, loaded)
    take(loaded)
    return { outcome: 'taken', ...diff }
  } catch (error) {
    follow(stamps.keys())
    return { outcome: 'rejected', faults: faultsOf(error) }
  }
}

async function swap({ build, generations, key, log, onTaken }: ReloadOptions, loaded: InForce) {
  const { config, contents } = loaded
  const id = generationId(config, contents, key)
  generations.swap({ id, config, adapter: await build(config, id) })
  log.setLevel(config.log.level)
  void onTaken?.(config)
}

function needsRestart(settings: string[]): ReloadOutcome {
  const message = `${settings.join(', ')} can not change while the adapter runs: restart it, or put the old value back. Nothing was taken over`
  return { outcome: 'needs_restart', settings, message }
}

function faultsOf(error: unknown): readonly ConfigFault[] {
  if (error instanceof ConfigError) return error.faults
  const { name, message } = error as Error
  return [{ path: '', message: `Cannot put the configuration in force: ${name}: ${message}` }]
}

function report(log: AdjustableLog, trigger: ReloadTrigger, outcome: ReloadOutcome): void {
  switch (outcome.outcome) {
    case 'taken': {
      const { added, removed, changed } = outcome
      return log.info('config.loaded', { trigger, added, removed, changed })
    }
    case 'unchanged':
      return log.info('config.unchanged', { trigger })
    case 'needs_restart':
      return log.error('config.rejected', { trigger, reason: outcome.message })
    case 'rejected': {
      const faults = outcome.faults.map((fault) => formatPlainFault(fault, process.cwd()))
      const reason = 'The configuration is not valid. The one before stays in force'
      return log.error('config.rejected', { trigger, reason, faults })
    }
  }
}

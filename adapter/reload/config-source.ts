// Where the running adapter's configuration comes from: read once at the start, and watched from then on. SIGHUP says to
// look at once.
import { loadConfig, type ConfigSources, type LoadedConfig } from '../config/load-config.ts'
import { filesOf } from './generation-id.ts'
import type { ReloadTrigger } from './reload.ts'
import { watchFiles, type FileWatch } from '../../service/watch-files.ts'

export interface ConfigSource {
  sources: ConfigSources
  /** As it was at the start. */
  loaded: LoadedConfig
  watch: FileWatch
  /** From now on. What came before is told now. */
  onChange(tell: (trigger: ReloadTrigger) => void): void
  close(): Promise<void>
}

/** @throws ConfigError */
export function openConfigSource(sources: ConfigSources): ConfigSource {
  let tell: ((trigger: ReloadTrigger) => void) | undefined
  const early = new Set<ReloadTrigger>()
  const told = (trigger: ReloadTrigger) => (tell ? tell(trigger) : void early.add(trigger))
  const read: string[] = []
  const loaded = loadConfig({ ...sources, onRead: (file) => void read.push(file) })
  const watch = watchFiles({ onChange: () => told('file') })
  watch.follow([...read, ...filesOf(loaded.config).values()])
  const onSignal = () => told('signal')
  process.on('SIGHUP', onSignal)
  return {
    sources,
    loaded,
    watch,
    onChange(next) {
      tell = next
      for (const trigger of early) next(trigger)
    },
    async close() {
      watch.close()
      process.off('SIGHUP', onSignal)
    },
  }
}

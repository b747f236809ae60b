// The part of a configuration that a test login with a draft needs, on its way from a command to the running adapter: as the
// file has it, and without the secrets of everything else.
import { ConfigError } from '../errors.ts'
import { asWritten } from './as-written.ts'
import { judgeSettings } from './checks/judge-settings.ts'
import type { LoadedConfig } from './load-config.ts'
import type { Config } from './schema.ts'
import { isMap, pathKey } from './source/settings-tree.ts'

/** What the process itself is made of stays the live configuration's. */
const OF_THE_PROCESS = new Set([
  'issuer',
  'listen',
  'admin',
  'trusted_proxies',
  'data',
  'storage',
  'session',
  'login',
  'keys',
  'log',
])

type Settings = Record<string, unknown>

/** Without any secret but those of `upstream`. */
export function draftSettings(
  { settings }: Pick<LoadedConfig, 'settings'>,
  upstream: string,
): Settings {
  const all = settings as Settings
  const kept = Object.entries(all).filter(([name]) => !OF_THE_PROCESS.has(name))
  const masked = asWritten(Object.fromEntries(kept)) as Settings
  const others = Object.entries(masked['upstreams'] as Settings).map(([name, one]) => [
    name,
    withoutProxy(one as Settings),
  ])
  const tested = (all['upstreams'] as Settings)[upstream]
  return { ...masked, upstreams: { ...Object.fromEntries(others), [upstream]: tested } }
}

/** Its address is a secret, and a masked one would be no address. */
function withoutProxy({ proxy: _proxy, ...others }: Settings): Settings {
  return others
}

/**
 * What the command sent, judged as a file would be, with our own issuer.
 * @throws ConfigError with all faults
 */
export function readDraftSettings(sent: unknown, issuer: string): Config {
  const settings = isMap(sent) ? sent : {}
  const { config, faults } = judgeSettings(
    { ...settings, issuer },
    { isProduction: false, isLiteral: () => false },
  )
  if (config) return config
  throw new ConfigError(faults.map(({ path, message }) => ({ path: pathKey(path), message })))
}

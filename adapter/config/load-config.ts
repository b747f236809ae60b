// auth-adapter.yaml + environment + flags → one validated Config, or every fault at once with its place. Reads files at
// start-up only; watching them is not done here.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import type { ConfigFault } from '../errors.ts'
import { judgeSettings } from './checks/judge-settings.ts'
import type { SettingFault } from './checks/schema-faults.ts'
import { applyPresets } from './presets.ts'
import { applyProfiles } from './profiles.ts'
import type { Config } from './schema.ts'
import { isPath, settingsAt, vocabulary } from './setting.ts'
import type { SettingPath } from './setting.ts'
import { environmentOverrides } from './source/environment.ts'
import { excerptAt, excerptOfUnknown } from './source/excerpt.ts'
import {
  isMap,
  leavesOf,
  originAt,
  pathKey,
  setValue,
  treeOf,
  valueAt,
} from './source/settings-tree.ts'
import type { SettingsTree } from './source/settings-tree.ts'
import { readYaml } from './source/yaml-source.ts'

export interface ConfigSources {
  /** Default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml in the working directory. */
  file?: string | undefined
  /** The text to read instead of the file's content; `file` then only names it. */
  text?: string | undefined
  env: Readonly<Record<string, string | undefined>>
  /** Dotted path → value. */
  flags?: Readonly<Record<string, unknown>> | undefined
  /** Told the absolute path of each file that is read, also of one that can not be. */
  onRead?: ((file: string) => void) | undefined
}

export type Origin =
  | { kind: 'default' }
  | { kind: 'file'; line: number; column: number; isLiteral: boolean }
  | { kind: 'environment'; variable: string }
  | { kind: 'flag'; flag: string }
  | { kind: 'preset'; preset: string }

export interface LoadedConfig {
  config: Config
  /** Dotted path of each single value → where it came from. */
  origins: Map<string, Origin>
  /** The settings as given, presets and overrides included; paths in them are absolute. */
  settings: unknown
  /** Absolute. */
  file: string
}

const DEFAULT_FILE = 'auth-adapter.yaml'
/** Nobody reads more at once, and each is drawn with its line. */
const MAX_FAULTS = 100
const MAX_INTERPOLATED_FILE_LENGTH = 64 * 1024

/** @throws ConfigError with all faults found; its messages and excerpts never hold a secret's value. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const file = resolve(sources.file || sources.env['AUTH_ADAPTER_CONFIG'] || DEFAULT_FILE)
  const text = sources.text ?? readConfigFile(file, sources)
  const { tree, faults } = readSettings(text, file, sources)
  faults.push(...applyOverrides(tree, sources))
  const judged = judgeSettings(tree.value, {
    isProduction: sources.env['NODE_ENV'] === 'production',
    isLiteral: (path) => originIsLiteral(tree, path),
  })
  const settingFaults = [...tree.faults, ...judged.faults].slice(0, MAX_FAULTS)
  faults.push(...settingFaults.map((fault) => locatedFault(fault, tree, text, file)))
  if (!judged.config || faults.length > 0) throw new ConfigError(inFileOrder(faults))
  const config = withAbsolutePaths(judged.config, dirname(file)) as Config
  const settings = withAbsolutePaths(tree.value, dirname(file))
  return { config, origins: originsOf(config, tree, text), settings, file }
}

function readConfigFile(file: string, { onRead }: ConfigSources): string {
  onRead?.(file)
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    const reason = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
    }[(error as NodeJS.ErrnoException).code ?? '']
    throw new ConfigError(
      [{ path: '', message: `Cannot read the configuration: ${reason ?? 'not readable'}`, file }],
      { cause: error },
    )
  }
}

function readSettings(
  text: string,
  file: string,
  sources: ConfigSources,
): { tree: SettingsTree; faults: ConfigFault[] } {
  const { root, faults } = readYaml(text)
  if (!root) {
    const words = vocabulary()
    throw new ConfigError(
      faults.slice(0, MAX_FAULTS).map(({ offset, message }) => ({
        path: '',
        message,
        file,
        ...excerptOfUnknown(text, offset, words),
      })),
    )
  }
  const tree = treeOf(root, {
    env: sources.env,
    readFile: (path) => readSmallFile(resolve(dirname(file), path), sources),
  })
  return {
    tree,
    faults: faults.slice(0, MAX_FAULTS).map(({ offset, message }) => ({
      path: '',
      message,
      file,
      ...excerptAt(text, offset, tree.ranges),
    })),
  }
}

function readSmallFile(path: string, { onRead }: ConfigSources): string {
  onRead?.(path)
  const content = readFileSync(path, 'utf8')
  if (content.length > MAX_INTERPOLATED_FILE_LENGTH)
    throw Object.assign(new Error('Too large'), { code: 'longer than 64 KiB' })
  return content
}

function applyOverrides(tree: SettingsTree, sources: ConfigSources): ConfigFault[] {
  const existing = (path: SettingPath) =>
    Object.keys(isMap(valueAt(tree.value, path)) ? (valueAt(tree.value, path) as object) : {})
  const { overrides, faults } = environmentOverrides(sources.env, existing)
  for (const { variable, path, value } of overrides)
    setValue(tree, path, value, { kind: 'environment', variable })
  for (const [flag, value] of Object.entries(sources.flags ?? {})) {
    if (value !== undefined) setValue(tree, flag.split('.'), value, { kind: 'flag', flag })
  }
  applyPresets(tree)
  applyProfiles(tree)
  placeDatabase(tree)
  return faults.map(({ variable, message }) => ({ path: variable, message }))
}

/** The database lies in the data folder unless the configuration says where. */
function placeDatabase(tree: SettingsTree): void {
  const root = tree.value
  const data = valueAt(root, ['data'])
  if (!isMap(root) || typeof data !== 'string') return
  const storage = root['storage'] ?? { driver: 'sqlite' }
  if (!isMap(storage) || storage['driver'] !== 'sqlite' || storage['file'] !== undefined) return
  tree.value = { ...root, storage: { ...storage, file: `${data}/adapter.sqlite` } }
}

function originIsLiteral(tree: SettingsTree, path: SettingPath): boolean {
  const { origin } = originAt(tree, path)
  return origin?.kind === 'file' && origin.isLiteral
}

function locatedFault(
  fault: SettingFault,
  tree: SettingsTree,
  text: string,
  file: string,
): ConfigFault {
  const { origin, isExact } = originAt(tree, fault.path)
  const path = shownPath(fault)
  if (origin?.kind === 'environment')
    return { path, message: `${fault.message} (set by ${origin.variable})` }
  if (origin?.kind === 'flag') return { path, message: `${fault.message} (set by a flag)` }
  if (origin?.kind === 'preset')
    return { path, message: `${fault.message} (set by preset ${origin.preset})`, file }
  if (!origin || (!isExact && origin.keyStart === undefined))
    return { path, message: fault.message, file }
  const offset = isExact && !fault.isAboutName ? origin.start : (origin.keyStart ?? origin.start)
  return { path, message: fault.message, file, ...excerptAt(text, offset, tree.ranges) }
}

/** A name that resembles nothing known may be a misplaced secret: it is not repeated. */
function shownPath({ path, isAboutName, meant }: SettingFault): string {
  const isHidden = isAboutName === true && meant === undefined && settingsAt(path).length === 0
  return pathKey(isHidden ? path.slice(0, -1) : path)
}

function inFileOrder(faults: ConfigFault[]): ConfigFault[] {
  return faults.toSorted(
    (a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0),
  )
}

function withAbsolutePaths(value: unknown, folder: string, path: SettingPath = []): unknown {
  if (typeof value === 'string') return isPath(path) ? resolve(folder, value) : value
  if (Array.isArray(value))
    return value.map((item, index) => withAbsolutePaths(item, folder, [...path, index]))
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      withAbsolutePaths(item, folder, [...path, key]),
    ]),
  )
}

function originsOf(config: Config, tree: SettingsTree, text: string): Map<string, Origin> {
  const origins = new Map<string, Origin>()
  for (const path of leavesOf(config)) {
    const { origin, isExact } = originAt(tree, path)
    if (!origin || (origin.kind === 'file' && !isExact))
      origins.set(pathKey(path), { kind: 'default' })
    else if (origin.kind !== 'file') origins.set(pathKey(path), origin)
    else {
      const { line, column } = excerptAt(text, origin.start, [])
      origins.set(pathKey(path), { kind: 'file', line, column, isLiteral: origin.isLiteral })
    }
  }
  return origins
}

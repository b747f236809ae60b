// `auth-adapter config print`: the configuration in force, without its secrets.
import { relative } from 'node:path'
import { stringify } from 'yaml'
import { loadConfig } from '../config/load-config.ts'
import type { LoadedConfig, Origin } from '../config/load-config.ts'
import { isSecret, settingsAt } from '../config/setting.ts'
import type { SettingPath } from '../config/setting.ts'
import { isMap, leavesOf, valueAt } from '../config/source/settings-tree.ts'
import { alignedRows } from './aligned-rows.ts'
import { reportingConfigErrors } from './report-config-error.ts'

/** Longer settings and values push what follows to the right. */
const WIDEST_COLUMN = 60

const MASK = '***'
const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

export interface PrintOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  hasOrigins: boolean
  isJson: boolean
}

export function printConfig(options: PrintOptions): 0 | 1 | 2 {
  return reportingConfigErrors(options.isJson, () => {
    const loaded = loadConfig({ file: options.file, env: options.env })
    process.stdout.write(`${shown(loaded, options)}\n`)
    return 0
  })
}

function shown(loaded: LoadedConfig, { hasOrigins, isJson }: PrintOptions): string {
  const masked = asWritten(loaded.config)
  if (!hasOrigins) return isJson ? JSON.stringify(masked, null, 2) : stringify(masked).trimEnd()
  const rows = leavesOf(masked).map((path) => ({
    setting: path.join('.'),
    value: valueAt(masked, path),
    origin: loaded.origins.get(path.join('.')) ?? ({ kind: 'default' } as const),
  }))
  if (isJson)
    return JSON.stringify(
      Object.fromEntries(rows.map(({ setting, ...rest }) => [setting, rest])),
      null,
      2,
    )
  const lines = rows.map(({ setting, value, origin }) => [
    setting,
    JSON.stringify(value),
    placeOf(origin, loaded.file),
  ])
  return alignedRows(lines, WIDEST_COLUMN)
}

/** Secrets masked, durations as in the file. */
function asWritten(value: unknown, path: SettingPath = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => asWritten(item, [...path, index]))
  if (isMap(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, asWritten(item, [...path, key])]),
    )
  if (isSecret(path)) return MASK
  const isDuration =
    typeof value === 'number' && settingsAt(path).every(({ def }) => def.type === 'string')
  return isDuration && settingsAt(path).length > 0 ? durationText(value) : value
}

function durationText(seconds: number): string {
  const [unit, size] = UNITS.find(
    ([, candidate]) => seconds >= candidate && seconds % candidate === 0,
  ) ?? ['ms', 0.001]
  return seconds === 0 ? '0s' : `${Math.round(seconds / size)}${unit}`
}

function placeOf(origin: Origin, file: string): string {
  switch (origin.kind) {
    case 'file':
      return `${relative(process.cwd(), file)}:${origin.line}:${origin.column}`
    case 'environment':
      return origin.variable
    case 'flag':
      return `--${origin.flag}`
    case 'preset':
      return `preset ${origin.preset}`
    default:
      return 'default'
  }
}

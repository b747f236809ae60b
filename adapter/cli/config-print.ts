// `auth-adapter config print`: the configuration in force, without its secrets.
import { relative } from 'node:path'
import { stringify } from 'yaml'
import { asWritten } from '../config/as-written.ts'
import { loadConfig } from '../config/load-config.ts'
import type { LoadedConfig, Origin } from '../config/load-config.ts'
import { leavesOf, valueAt } from '../config/source/settings-tree.ts'
import { alignedRows } from './aligned-rows.ts'
import { reportingConfigErrors } from './report-config-error.ts'

/** Longer settings and values push what follows to the right. */
const WIDEST_COLUMN = 60

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

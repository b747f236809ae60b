// AUTH_ADAPTER_LISTEN__PORT=9100 sets `listen.port`: two underscores go one level down, case and `-` or `_` do not matter.
// The value is read as YAML, so that a whole object fits too; a text setting takes it as it stands.
import { parseDocument } from 'yaml'
import { didYouMean } from './nearest-name.ts'
import { namesAt, settingsAt } from '../setting.ts'
import type { SettingPath } from '../setting.ts'

export interface Override {
  readonly variable: string
  readonly path: readonly string[]
  readonly value: unknown
}

export interface EnvironmentFault {
  readonly variable: string
  readonly message: string
}

const PREFIX = 'AUTH_ADAPTER_'

/** Read by the commands and the tests themselves; they set nothing here. */
const RESERVED = new Set(
  ['CONFIG', 'ADMIN_TOKEN', 'NIGHTLY', 'REDIS_SERVER', 'CHROMIUM'].map((name) => PREFIX + name),
)

/**
 * Overrides in the order to apply them, outer settings first. Names that are free (of upstreams, clients, claims) are
 * matched with those that `existing` says are there. A variable set to nothing counts as not set.
 */
export function environmentOverrides(
  env: Readonly<Record<string, string | undefined>>,
  existing: (path: SettingPath) => readonly string[],
): { overrides: Override[]; faults: EnvironmentFault[] } {
  const overrides: Override[] = []
  const faults: EnvironmentFault[] = []
  for (const [variable, text] of Object.entries(env).sort(
    ([a], [b]) => depth(a) - depth(b) || (a < b ? -1 : 1),
  )) {
    if (!variable.startsWith(PREFIX) || RESERVED.has(variable) || text === undefined || text === '')
      continue
    const { path, fault } = pathOf(variable, existing)
    if (fault !== undefined) faults.push({ variable, message: fault })
    else overrides.push({ variable, path, value: valueFor(path, text) })
  }
  return { overrides, faults }
}

function depth(variable: string): number {
  return variable.split('__').length
}

function pathOf(
  variable: string,
  existing: (path: SettingPath) => readonly string[],
): { path: string[]; fault?: string } {
  const path: string[] = []
  for (const segment of variable.slice(PREFIX.length).split('__')) {
    const { known, isOpen } = namesAt(path)
    const names = [...known, ...existing(path)]
    const match =
      names.find((name) => plain(name) === plain(segment)) ??
      (isOpen ? freeName(path, segment) : undefined)
    if (match === undefined) return { path, fault: unknownVariable(path, segment, names) }
    path.push(match)
  }
  return { path }
}

function unknownVariable(
  path: readonly string[],
  segment: string,
  names: readonly string[],
): string {
  const prefix = PREFIX + path.map((name) => `${variableName(name)}__`).join('')
  const candidates = names.map((name) => prefix + variableName(name))
  if (path.length === 0) candidates.push(...RESERVED)
  return `Environment variable sets no setting${didYouMean(prefix + segment, candidates)}`
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}

/** Names of upstreams have dashes, those of claims and clients may have underscores. */
function freeName(path: readonly string[], segment: string): string | undefined {
  if (segment === '') return undefined
  return path[0] === 'upstreams' && path.length === 1
    ? plain(segment).replaceAll('_', '-')
    : plain(segment)
}

function valueFor(path: SettingPath, text: string): unknown {
  const types = new Set(settingsAt(path).map(({ def }) => def.type))
  const isText = types.has('string') || types.has('enum') || types.has('literal')
  if (isText && types.size === 1) return text
  const value = parsed(text)
  return isText && (typeof value !== 'object' || value === null) ? text : value
}

function parsed(text: string): unknown {
  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'silent',
  })
  if (document.errors.length > 0 || document.warnings.length > 0) return text
  try {
    return document.toJS({ maxAliasCount: 0 })
  } catch {
    return text
  }
}

// What differs between two configurations, in words for the log and the terminal. Pure; secrets, and whatever came from
// outside the file, are masked.
import { isDeepStrictEqual } from 'node:util'
import { asWritten, MASK } from '../config/as-written.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import type { SettingPath } from '../config/setting.ts'
import { isMap } from '../config/source/settings-tree.ts'

export interface ConfigDiff {
  /** `upstreams.<name>`, `clients.<id>`. */
  added: string[]
  removed: string[]
  /** One line each: `login.ttl: "10m" → "5m"`. A value that is not there is `none`. */
  changed: string[]
  /** Dotted paths of what changed, came or went, in the order of the configuration. */
  paths: string[]
}

type Side = Pick<LoadedConfig, 'config' | 'origins'> & {
  /** Dotted path of a setting that names a file → a fingerprint of what is in it. */
  contents?: ReadonlyMap<string, string>
}

interface Difference {
  path: SettingPath
  before: unknown
  after: unknown
}

const LONGEST_VALUE = 300

/** Where single entries come and go as a whole. */
const REGISTRIES = new Set(['upstreams', 'clients'])

export function diffConfig(before: Side, after: Side): ConfigDiff {
  const differences = differencesOf(before.config, after.config)
  const isEntry = ({ path }: Difference) => path.length === 2 && REGISTRIES.has(String(path[0]))
  const added = differences.filter((one) => isEntry(one) && one.before === undefined)
  const removed = differences.filter((one) => isEntry(one) && one.after === undefined)
  const changed = differences.filter((one) => !added.includes(one) && !removed.includes(one))
  const rewritten = changedContents(before, after)
  return {
    added: added.map(({ path }) => path.join('.')),
    removed: removed.map(({ path }) => path.join('.')),
    changed: [
      ...changed.map((one) => lineOf(one, before, after)),
      ...rewritten.map((path) => `${path}: the content of the file`),
    ],
    paths: [...differences.map(({ path }) => path.join('.')), ...rewritten],
  }
}

function differencesOf(before: unknown, after: unknown, path: SettingPath = []): Difference[] {
  if (!isMap(before) || !isMap(after))
    return isDeepStrictEqual(before, after) ? [] : [{ path, before, after }]
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  const below = [...names].flatMap((name) =>
    differencesOf(before[name], after[name], [...path, name]),
  )
  return path.join('.') === 'upstreams' ? [...below, ...orderDifference(before, after)] : below
}

/** People see the upstreams in the order of the file; of nothing else does the order count. */
function orderDifference(before: object, after: object): Difference[] {
  const [old, now] = [Object.keys(before), Object.keys(after)]
  const isReordered =
    !isDeepStrictEqual(old, now) && isDeepStrictEqual(old.toSorted(), now.toSorted())
  return isReordered ? [{ path: ['upstreams'], before: old, after: now }] : []
}

function lineOf({ path, before, after }: Difference, from: Side, to: Side): string {
  return `${path.join('.')}: ${shown(before, path, from)} → ${shown(after, path, to)}`
}

function shown(value: unknown, path: SettingPath, { origins }: Side): string {
  if (value === undefined) return 'none'
  const isFromOutside = (at: SettingPath) => {
    const origin = origins.get(at.join('.'))
    return origin?.kind === 'file' && !origin.isLiteral
  }
  const masked = asWritten(value, path, isFromOutside)
  const text = masked === MASK ? MASK : JSON.stringify(masked)
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text
}

function changedContents({ contents: old }: Side, { contents: now }: Side): string[] {
  return [...(now ?? [])].flatMap(([path, content]) => {
    const before = old?.get(path)
    return before !== undefined && before !== content ? [path] : []
  })
}

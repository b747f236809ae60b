// The values that the layers (file, environment, flags) give, and where each came from. Judges nothing but interpolation.
import { isSecret, namesAt, secretNames, settingsAt } from '../setting.ts'
import type { SettingPath } from '../setting.ts'
import type { KnownRange } from './excerpt.ts'
import { interpolate } from './interpolate.ts'
import type { InterpolationSources } from './interpolate.ts'
import { nearestName } from './nearest-name.ts'
import type { SourceNode } from './yaml-source.ts'

export type ValueOrigin =
  | {
      readonly kind: 'file'
      readonly start: number
      readonly keyStart: number | undefined
      readonly isLiteral: boolean
    }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'preset'; readonly preset: string }

export interface SettingsTree {
  value: unknown
  /** By `pathKey`; of every map, list and scalar that a layer gave. */
  readonly origins: Map<string, ValueOrigin>
  /** The parts of the file that excerpts may show, or must not. */
  readonly ranges: KnownRange[]
  readonly faults: { path: SettingPath; message: string }[]
}

export function pathKey(path: SettingPath): string {
  return path.join('.')
}

/** The file's tree as plain values, with interpolation done. */
export function treeOf(root: SourceNode, sources: InterpolationSources): SettingsTree {
  const tree: SettingsTree = { value: undefined, origins: new Map(), ranges: [], faults: [] }
  tree.value = valueOf(tree, root, [], undefined, sources)
  return tree
}

function valueOf(
  tree: SettingsTree,
  node: SourceNode,
  path: SettingPath,
  keyStart: number | undefined,
  sources: InterpolationSources,
): unknown {
  const place = { kind: 'file', start: node.start, keyStart, isLiteral: true } as const
  tree.origins.set(pathKey(path), place)
  if (node.items)
    return node.items.map((item, index) =>
      valueOf(tree, item, [...path, index], undefined, sources),
    )
  if (node.entries) return mapOf(tree, node.entries, path, sources)
  tree.ranges.push({
    start: node.start,
    end: node.end,
    isShown: isHarmless(path, node.scalar?.value),
  })
  const value = node.scalar?.value
  if (typeof value !== 'string') return value
  const { text, isInterpolated, isFromOutside, faults } = interpolate(value, sources)
  for (const message of faults) tree.faults.push({ path, message })
  if (!isInterpolated) return text
  tree.origins.set(pathKey(path), { ...place, isLiteral: !isFromOutside })
  return asExpected(path, text)
}

const STRUCTURES = new Set(['object', 'record', 'array'])
const SECRET_NAMES = secretNames()

/** A single value where one is expected, and nothing that a slip of the hand may have made of a secret. */
function isHarmless(path: SettingPath, value: unknown): boolean {
  if (isSecret(path) || path.some((key) => SECRET_NAMES.has(String(key)))) return false
  if (typeof value === 'string' && /secret|password|sealing_key/i.test(value)) return false
  return settingsAt(path).some(({ def }) => !STRUCTURES.has(def.type))
}

function mapOf(
  tree: SettingsTree,
  entries: NonNullable<SourceNode['entries']>,
  path: SettingPath,
  sources: InterpolationSources,
): Record<string, unknown> {
  const { known, isOpen } = namesAt(path)
  const result: Record<string, unknown> = {}
  for (const { key, keyStart, keyEnd, node } of entries) {
    const isShown = isOpen || known.includes(key) || nearestName(key, known) !== undefined
    tree.ranges.push({ start: keyStart, end: keyEnd, isShown })
    result[key] = valueOf(tree, node, [...path, key], keyStart, sources)
  }
  return result
}

/** An interpolated text stands for a number or a truth value where the setting is one. */
function asExpected(path: SettingPath, text: string): unknown {
  const types = settingsAt(path).map(({ def }) => def.type)
  if (types.includes('string')) return text
  if (types.includes('number') && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true'
  return text
}

/** Sets one value from outside the file, and forgets what the file said below it. */
export function setValue(
  tree: SettingsTree,
  path: readonly string[],
  value: unknown,
  origin: ValueOrigin,
): void {
  const key = pathKey(path)
  for (const known of tree.origins.keys()) {
    if (known === key || known.startsWith(`${key}.`)) tree.origins.delete(known)
  }
  tree.origins.set(key, origin)
  tree.value = withValue(tree.value, path, value)
}

function withValue(target: unknown, path: readonly string[], value: unknown): unknown {
  const [name, ...rest] = path
  if (name === undefined) return value
  const base = isMap(target) ? target : {}
  return { ...base, [name]: withValue(base[name], rest, value) }
}

export function valueAt(value: unknown, path: SettingPath): unknown {
  let current = value
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key))
      return undefined
    current = (current as Record<string | number, unknown>)[key]
  }
  return current
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Of the setting itself, or of the nearest one around it. */
export function originAt(
  tree: SettingsTree,
  path: SettingPath,
): { origin: ValueOrigin | undefined; isExact: boolean } {
  for (let length = path.length; length >= 0; length -= 1) {
    const origin = tree.origins.get(pathKey(path.slice(0, length)))
    if (origin) return { origin, isExact: length === path.length }
  }
  return { origin: undefined, isExact: false }
}

/** Paths of the single values; an empty map or list is one. */
export function leavesOf(value: unknown, path: SettingPath = []): SettingPath[] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) return [path]
  return Object.entries(value).flatMap(([key, item]) =>
    leavesOf(item, [...path, Array.isArray(value) ? Number(key) : key]),
  )
}

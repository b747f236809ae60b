// Settings as a person reads them: durations as in the file, secrets masked.
import { isSecret, settingsAt } from './setting.ts'
import type { SettingPath } from './setting.ts'
import { isMap } from './source/settings-tree.ts'

export const MASK = '***'

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** `isHidden` names further values to mask. */
export function asWritten(
  value: unknown,
  path: SettingPath = [],
  isHidden: (path: SettingPath) => boolean = () => false,
): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => asWritten(item, [...path, index], isHidden))
  if (isMap(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, asWritten(item, [...path, key], isHidden)]),
    )
  if (isSecret(path) || isHidden(path)) return MASK
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

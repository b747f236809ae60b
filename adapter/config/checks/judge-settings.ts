// Judges the settings as given: shape first, then meaning. Where the shape is wrong in places, stand-ins take those places,
// so that one run tells every fault.
import { configSchema } from '../schema.ts'
import type { Config } from '../schema.ts'
import { settingsAt, settingsOf } from '../setting.ts'
import type { Setting, SettingPath } from '../setting.ts'
import { isMap } from '../source/settings-tree.ts'
import { checkConfig } from './check-config.ts'
import type { CheckCircumstances } from './check-config.ts'
import { schemaFaults, withoutMisspelt } from './schema-faults.ts'
import type { SettingFault } from './schema-faults.ts'

export interface Judgement {
  /** Absent when there is a fault. */
  readonly config: Config | undefined
  readonly faults: readonly SettingFault[]
}

const MAX_ROUNDS = 5
/** With more than that, what else is wrong can wait. */
const MAX_REPAIRS = 100

export function judgeSettings(settings: unknown, circumstances: CheckCircumstances): Judgement {
  const faults: SettingFault[] = []
  let value = settings
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const result = configSchema.safeParse(value)
    if (result.success) {
      const isNew = ({ path }: SettingFault) =>
        !faults.some((fault) => isBelow(path, fault.path) || isBelow(fault.path, path))
      const all = [
        ...withoutMisspelt(faults),
        ...checkConfig(result.data, circumstances).filter(isNew),
      ]
      return { config: all.length === 0 ? result.data : undefined, faults: all }
    }
    const found = schemaFaults(result.error.issues, value)
    if (round === 0) faults.push(...found)
    if (found.length > MAX_REPAIRS) break
    value = found.reduce((repaired, { path }) => withStandIn(repaired, path), value)
  }
  return { config: undefined, faults: withoutMisspelt(faults) }
}

function isBelow(path: SettingPath, above: SettingPath): boolean {
  return above.every((key, index) => path[index] === key)
}

/** A required setting is filled in, any other left out. */
function withStandIn(value: unknown, path: SettingPath): unknown {
  const [setting] = settingsAt(path)
  return replaced(value, path, isNeeded(setting) ? { value: standIn(setting) } : undefined)
}

function replaced(
  value: unknown,
  path: SettingPath,
  replacement: { value: unknown } | undefined,
): unknown {
  const [key, ...rest] = path
  if (key === undefined) return replacement?.value
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? replaced(item, rest, replacement) : item))
  if (!isMap(value)) return value
  const { [key]: inner, ...others } = value
  if (rest.length === 0 && replacement === undefined) return others
  return { ...others, [key]: replaced(inner, rest, replacement) }
}

function standIn({ def, schema }: Setting): unknown {
  const [choice] = [...Object.values(def.entries ?? {}), ...(def.values ?? [])]
  if (choice !== undefined) return choice
  if (def.shape) {
    const below = Object.entries(def.shape).map(
      ([name, inner]) => [name, settingsOf(inner)[0]] as const,
    )
    return Object.fromEntries(
      below.flatMap(([name, inner]) => (isNeeded(inner) ? [[name, standIn(inner)]] : [])),
    )
  }
  const inner = def.valueType ?? def.element
  const [content] = inner ? settingsOf(inner) : []
  if (content) return def.element ? [standIn(content)] : { 'stand-in': standIn(content) }
  return (schema._zod.def as { format?: string }).format === 'url'
    ? 'https://stand-in.example'
    : 'stand-in:1'
}

function isNeeded(setting: Setting | undefined): setting is Setting {
  return setting !== undefined && !setting.isOptional && setting.defaultValue === undefined
}

// What the schema says of one setting, found by its path: its types, the names below it, whether it is a secret.
import type { z } from 'zod'
import { globalRegistry } from 'zod'
import { configSchema } from './schema.ts'

type Schema = z.core.$ZodType
type Def = z.core.$ZodTypeDef & {
  innerType?: Schema
  in?: Schema
  options?: readonly Schema[]
  shape?: Record<string, Schema>
  keyType?: Schema
  valueType?: Schema
  element?: Schema
  entries?: Record<string, string>
  values?: readonly unknown[]
}

export type SettingPath = readonly (string | number)[]

export interface Setting {
  /** Its schema without optional, default and transform; a union gives several settings. */
  readonly schema: Schema
  readonly def: Def
  readonly description: string | undefined
  readonly isSecret: boolean
  readonly isPath: boolean
  readonly isOptional: boolean
  /** As it would be written in the file. */
  readonly defaultValue: unknown
}

const ROOT = settingsOf(configSchema)

/** All that a value at this path may be; empty where the schema knows no such setting. */
export function settingsAt(path: SettingPath): Setting[] {
  let settings = ROOT
  for (const key of path) settings = settings.flatMap((setting) => childOf(setting, String(key)))
  return settings
}

export function isSecret(path: SettingPath): boolean {
  return settingsAt(path).some((setting) => setting.isSecret)
}

export function isPath(path: SettingPath): boolean {
  return settingsAt(path).some((setting) => setting.isPath)
}

/** Names that are fixed below this path, and whether free ones (of upstreams, clients, claims) are possible. */
export function namesAt(path: SettingPath): { known: string[]; isOpen: boolean } {
  const settings = settingsAt(path)
  const known = new Set(settings.flatMap((setting) => Object.keys(setting.def.shape ?? {})))
  return {
    known: [...known],
    isOpen: settings.some(({ def }) => def.type === 'record' || def.type === 'unknown'),
  }
}

/** The values that a setting of a fixed choice can have. */
export function choicesAt(path: SettingPath): string[] {
  const choices = settingsAt(path).flatMap(({ def }) => [
    ...Object.values(def.entries ?? {}),
    ...(def.values ?? []).map(String),
  ])
  return [...new Set(choices)]
}

/** Every name and choice that the schema fixes, anywhere. */
export function vocabulary(): Set<string> {
  return new Set(
    allSettings().flatMap(({ name, setting: { def } }) => [
      name,
      ...Object.values(def.entries ?? {}),
      ...(def.values ?? []).map(String),
    ]),
  )
}

/** The names of all secrets, anywhere. */
export function secretNames(): Set<string> {
  return new Set(allSettings().flatMap(({ name, setting }) => (setting.isSecret ? [name] : [])))
}

interface NamedSetting {
  readonly name: string
  readonly setting: Setting
}

function allSettings(settings: readonly Setting[] = ROOT, name = ''): NamedSetting[] {
  return settings.flatMap((setting) => {
    const { shape = {}, valueType, element } = setting.def
    const inner = [valueType, element].flatMap((schema) =>
      schema ? allSettings(settingsOf(schema), name) : [],
    )
    const below = Object.entries(shape).flatMap(([key, schema]) =>
      allSettings(settingsOf(schema), key),
    )
    return [{ name, setting }, ...inner, ...below]
  })
}

export function settingsOf(schema: Schema): Setting[] {
  const outer = {
    description: undefined,
    isSecret: false,
    isPath: false,
    isOptional: false,
    defaultValue: undefined,
  }
  return unwrapped(schema, outer)
}

function unwrapped(schema: Schema, outer: Omit<Setting, 'schema' | 'def'>): Setting[] {
  const def = schema._zod.def as Def & { defaultValue?: unknown }
  const meta = globalRegistry.get(schema) as
    | { description?: string; secret?: boolean; path?: boolean }
    | undefined
  const facts = {
    description: outer.description ?? meta?.description,
    isSecret: outer.isSecret || meta?.secret === true,
    isPath: outer.isPath || meta?.path === true,
    isOptional: outer.isOptional || def.type === 'optional',
    defaultValue: outer.defaultValue ?? ('defaultValue' in def ? def.defaultValue : undefined),
  }
  const inner = def.innerType ?? def.in
  if (inner) return unwrapped(inner, facts)
  if (def.type === 'union') return (def.options ?? []).flatMap((option) => unwrapped(option, facts))
  return [{ schema, def, ...facts }]
}

function childOf({ def }: Setting, key: string): Setting[] {
  if (def.shape) return Object.hasOwn(def.shape, key) ? settingsOf(def.shape[key] as Schema) : []
  const inner = def.valueType ?? def.element
  return inner ? settingsOf(inner) : []
}

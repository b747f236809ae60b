// The adapter's configuration of a test: the repository's own demo file with what the test changes.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'

export interface Settings {
  [name: string]: unknown
}

const DEMO = join(import.meta.dirname, '..', '..', 'auth-adapter.yaml')

const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** `changes` over `base`, level by level; lists and scalars are replaced, null takes a setting away. */
export function mergeSettings(base: Settings, changes: Settings): Settings {
  const merged: Settings = { ...base }
  for (const [name, change] of Object.entries(changes)) {
    const before = merged[name]
    if (change === null) delete merged[name]
    else
      merged[name] = isSettings(change)
        ? mergeSettings(isSettings(before) ? before : {}, change)
        : change
  }
  return merged
}

/** Writes `<folder>/auth-adapter.yaml` and returns its path. */
export function writeChainConfig(folder: string, ...changes: readonly Settings[]): string {
  const demo = parse(readFileSync(DEMO, 'utf8')) as Settings
  const file = join(folder, 'auth-adapter.yaml')
  writeFileSync(file, stringify(changes.reduce(mergeSettings, demo)))
  return file
}

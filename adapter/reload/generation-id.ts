// Names a configuration as it is in force, the same in every process that holds the same file and the same store.
import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import { isPath } from '../config/setting.ts'
import { leavesOf, valueAt } from '../config/source/settings-tree.ts'

const LENGTH = 12

/** With a key, since the configuration holds secrets and its name goes to browsers. */
export function generationId(
  config: Config,
  contents: ReadonlyMap<string, string>,
  key: string,
): string {
  const text = JSON.stringify([config, ...contents])
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, LENGTH)
}

/** Dotted path of each setting of an upstream that names a file → the file. */
export function filesOf(config: Config): Map<string, string> {
  const paths = leavesOf(config).filter((path) => path[0] === 'upstreams' && isPath(path))
  return new Map(paths.map((path) => [path.join('.'), valueAt(config, path) as string]))
}

/** Dotted path → a hash of the file's content. */
export function contentsOf(config: Config): Map<string, string> {
  const files = [...filesOf(config)]
  return new Map(files.map(([path, file]) => [path, hashOf(file)]))
}

function hashOf(file: string): string {
  try {
    return createHash('sha256').update(readFileSync(file)).digest('base64url')
  } catch {
    return 'missing'
  }
}

// Finds programs on PATH, as a shell would.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The full path of the first of `names` that is on PATH. */
export function which(
  names: readonly string[],
  path = process.env['PATH'] ?? '',
): string | undefined {
  const folders = path.split(delimiter).filter(Boolean)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

/** The path in the environment variable, which must then name a program that can run. */
export function programFromEnvironment(variable: string): string | undefined {
  const file = process.env[variable]
  if (!file) return undefined
  if (!isExecutable(file))
    throw new Error(`${variable} is set to ${file}, which is not a program that can run`)
  return file
}

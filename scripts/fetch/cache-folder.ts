// Where fetched programs live: .cache/ in the checkout, ignored by git.
import { join } from 'node:path'

/** The path of a file or folder in .cache/; it need not exist. */
export const cacheFolder = (...parts: readonly string[]): string =>
  join(import.meta.dirname, '..', '..', '.cache', ...parts)

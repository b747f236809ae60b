// Notices that files change. By looking, because change events are lost on network and overlay file systems, when an editor
// puts a new file in the place of the old one, and when a mounted volume swaps a symbolic link.
import { statSync } from 'node:fs'

/** File → what tells whether it is still the same. */
export type Stamps = ReadonlyMap<string, string>

export interface FileWatch {
  /** The files as they are now. Taken before they are read, nothing that is written meanwhile goes unnoticed. */
  stamps(): Stamps
  /** Looks at these files from now on, and tells what differs from `seen`; of others, what they are now counts as seen. */
  follow(files: readonly string[], seen?: Stamps): void
  close(): void
}

export interface FileWatchOptions {
  /** Called when a file has changed and then stayed as it is for one look: not in the middle of a write. */
  onChange: () => void
  checkMs?: number | undefined
}

const CHECK_MS = 500

export function watchFiles({ onChange, checkMs = CHECK_MS }: FileWatchOptions): FileWatch {
  let files: readonly string[] = []
  let seen: Stamps = new Map()
  let last: Stamps = seen

  function look(): void {
    const now = stampsOf(files)
    const isSettled = isSame(now, last)
    last = now
    if (!isSettled || isSame(now, seen)) return
    seen = now
    onChange()
  }

  const timer = setInterval(look, checkMs).unref()
  return {
    stamps: () => stampsOf(files),
    follow(next, known = seen) {
      files = [...new Set(next)]
      seen = new Map([...stampsOf(files), ...[...known].filter(([file]) => files.includes(file))])
    },
    close: () => clearInterval(timer),
  }
}

function stampsOf(files: readonly string[]): Stamps {
  return new Map(files.map((file) => [file, stampOf(file)]))
}

function stampOf(file: string): string {
  try {
    const { dev, ino, mtimeNs, size } = statSync(file, { bigint: true })
    return `${dev}:${ino}:${mtimeNs}:${size}`
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

function isSame(left: Stamps, right: Stamps): boolean {
  return left.size === right.size && [...left].every(([file, stamp]) => right.get(file) === stamp)
}

// Changes the clients in the configuration file: only where the outcome is a valid configuration, all at once, and with
// the file's mode kept. A running adapter sees the new file and takes it over.
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'yaml'
import { loadConfig } from '../../../config/load-config.ts'
import type { ClientConfig, Config } from '../../../config/schema.ts'
import { spliceEntry } from './splice-entry.ts'

export interface EditOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
}

/** A command that can not be done as it was asked, in one sentence for the terminal. */
export interface Refusal {
  refusal: string
}

export interface OpenClients {
  /** Absolute. */
  file: string
  config: Config
  /**
   * `path`: of the one thing that is changed, below `clients`. `isMeant` looks at the client as it would be then.
   * @throws ConfigError when the outcome would not be valid; nothing is written then
   */
  save(
    path: readonly [client: string, ...below: string[]],
    change: (document: Document) => void,
    isMeant?: (client: ClientConfig | undefined) => boolean,
  ): Refusal | undefined
}

/** @throws ConfigError */
export function openClients({ file, env }: EditOptions): OpenClients {
  const loaded = loadConfig({ file, env })
  // Through a link to the file itself, so that the link stays one.
  const target = realpathSync(loaded.file)
  const text = readFileSync(target, 'utf8')
  return {
    file: loaded.file,
    config: loaded.config,
    save(path, change, isMeant = () => true) {
      const next = spliceEntry(text, ['clients', ...path], change)
      const { config } = loadConfig({ file: loaded.file, text: next, env })
      const { [path[0]]: client, ...others } = config.clients
      const { [path[0]]: _, ...before } = loaded.config.clients
      return isMeant(client) && isDeepStrictEqual(others, before)
        ? replaceFile(target, text, next)
        : { refusal: shared(path[0], target) }
    },
  }
}

/** What an alias stands for is changed for all of its users or for none, and what the environment says stays as it is. */
const shared = (id: string, file: string) =>
  `What is to be changed of client "${id}" does not stand at its own place in ${file} (there is an alias, or the environment sets it): change it there`

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'it is on a read-only file system',
  ENOSPC: 'the disk is full',
  EBUSY: 'it is mounted by itself; edit it where it comes from',
}

function replaceFile(path: string, expected: string, next: string): Refusal | undefined {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writeLike(path, temporary, next)
    if (readFileSync(path, 'utf8') !== expected)
      return { refusal: `${path} was changed meanwhile by somebody else: run the command again` }
    renameSync(temporary, path)
    return undefined
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    return { refusal: `Cannot write ${path}: ${REASONS[code] ?? code}` }
  } finally {
    discard(temporary)
  }
}

/** Moved already, or never made, in most cases. */
function discard(temporary: string): void {
  try {
    rmSync(temporary)
  } catch {
    // Why it could not be made was told.
  }
}

/** Whoever could read the file can read the new one, and nobody else; on the disk before it takes its place. */
function writeLike(path: string, temporary: string, text: string): void {
  const { mode, uid, gid } = statSync(path)
  const descriptor = openSync(temporary, 'wx', 0o600)
  try {
    writeFileSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  if (process.getuid?.() === 0) chownSync(temporary, uid, gid)
  chmodSync(temporary, mode & 0o7777)
}

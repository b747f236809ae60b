// The token that commands show to the admin API: from the environment or the configuration, else from a file that is made
// on first start. What it opens is in admin-api.ts.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { ConfigError, StorageError } from '../errors.ts'
import { createSecretFile, readSecretFile } from '../../service/secret-file.ts'

export interface AdminTokenOptions {
  config: Pick<Config, 'admin' | 'data'>
  env: Readonly<Record<string, string | undefined>>
}

const VARIABLE = 'AUTH_ADAPTER_ADMIN_TOKEN'
/** What a bearer token may be made of, and long enough not to be guessed. https://www.rfc-editor.org/rfc/rfc6750#section-2.1 */
export const ADMIN_TOKEN = /^[A-Za-z0-9._~+/-]{32,512}={0,2}$/
const EXPECTED = 'at least 32 of the characters A-Z a-z 0-9 . _ ~ + / -'

export const adminTokenFile = (data: string) => join(data, 'admin.token')

/**
 * The token that the admin API asks for. Undefined in production where none is given: then there is no API.
 * @throws ConfigError for one that can not be used, StorageError `unusable` for the file
 */
export async function openAdminToken(options: AdminTokenOptions): Promise<string | undefined> {
  const known = knownAdminToken(options)
  if (known !== undefined || options.env['NODE_ENV'] === 'production') return known
  const file = adminTokenFile(options.config.data)
  return using(file, () => createSecretFile(file, randomBytes(32).toString('base64url')))
}

/** The token as far as it is there already; makes none. @throws as above */
export function knownAdminToken({ config, env }: AdminTokenOptions): string | undefined {
  const given = env[VARIABLE] || config.admin.token
  if (given !== undefined) return usable(given, env[VARIABLE] ? VARIABLE : 'admin.token')
  const file = adminTokenFile(config.data)
  return env['NODE_ENV'] === 'production' ? undefined : using(file, () => readSecretFile(file))
}

function usable(token: string, path: string): string {
  if (ADMIN_TOKEN.test(token)) return token
  throw new ConfigError([{ path, message: `Expected ${EXPECTED}` }])
}

function using<T extends string | undefined>(file: string, work: () => T): T {
  const remedy = `Delete it, or give ${VARIABLE}`
  const unusable = (why: string, cause?: unknown) =>
    new StorageError('unusable', `Cannot use the admin token in ${file}: ${why}. ${remedy}`, {
      cause,
    })
  let token: T
  try {
    token = work()
  } catch (cause) {
    throw unusable((cause as NodeJS.ErrnoException).code ?? 'not readable', cause)
  }
  if (token === undefined || ADMIN_TOKEN.test(token)) return token
  throw unusable('it holds no token')
}

// Opens the secrets the adapter starts with: sealing keys, signing keys, cookie keys, the key of pairwise subjects. From the configuration where it
// gives them; otherwise made on first start and kept sealed in the store.
import { randomBytes } from 'node:crypto'
import type { Config } from './config/schema.ts'
import { openKeys, type OpenedKeys } from './provider/keys/open-keys.ts'
import { SIGNING_ALGS } from './provider/keys/signing-keys.ts'
import type { Log } from '../service/log.ts'
import type { Driver } from './storage/driver.ts'
import { createSealing, type Sealing } from './storage/sealing/sealing.ts'
import { loadOrCreateSealed, sealAgain } from './storage/sealing/sealed-records.ts'
import { loadOrCreateSealingKey } from './storage/sealing/sealing-key.ts'

export interface Secrets extends OpenedKeys {
  /** The first signs. */
  cookieKeys: string[]
  /** 32 bytes: what pairwise subjects are made with. */
  subjectKey: Uint8Array
  /** Seals what is kept of others: upstream tokens. */
  sealing: Sealing
}

/** @throws ConfigError, StorageError `unusable` */
export async function openSecrets({
  config,
  driver,
  sealingKeyFile,
  log,
  now,
}: {
  config: Config
  driver: Driver
  sealingKeyFile: string
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}): Promise<Secrets> {
  const sealing = openSealing(config, sealingKeyFile)
  await Promise.all(SEALED.map((name) => sealAgain(driver, sealing, name)))
  const [cookieKeys, subjectKey] = await Promise.all([
    openCookieKeys(driver, sealing),
    openSubjectKey(config, driver, sealing),
  ])
  // Last, since it may start a program that somebody has to end.
  const keys = await openKeys({ config, driver, sealing, log, now })
  return { ...keys, cookieKeys, subjectKey, sealing }
}

/** What lives longer than any session: with another sealing key it is sealed anew at the next start. */
const SEALED = [
  'cookie-keys',
  'subject-key',
  'signing-key-ring',
  ...SIGNING_ALGS.map((alg) => `signing-keys-${alg}`),
]

function openSealing({ keys }: Config, sealingKeyFile: string): Sealing {
  const { sealing_key: first, second_sealing_key: second } = keys
  const newest = first === undefined ? loadOrCreateSealingKey(sealingKeyFile) : bytesOf(first)
  return createSealing([newest, ...(second === undefined ? [] : [bytesOf(second)])])
}

const bytesOf = (key: string) => Buffer.from(key, 'base64url')

async function openCookieKeys(driver: Driver, sealing: Sealing): Promise<string[]> {
  return (await loadOrCreateSealed(driver, sealing, 'cookie-keys', async () => [
    randomBytes(32).toString('base64url'),
  ])) as string[]
}

/** Not the sealing key: that one may change, and no subject may change with it. */
async function openSubjectKey(
  { keys }: Config,
  driver: Driver,
  sealing: Sealing,
): Promise<Uint8Array> {
  const make = async () => randomBytes(32).toString('base64url')
  const key = keys.subject_key ?? (await loadOrCreateSealed(driver, sealing, 'subject-key', make))
  return Buffer.from(key as string, 'base64url')
}

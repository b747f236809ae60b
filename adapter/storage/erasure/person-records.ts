// Which records name a person, found by looking at every record there is, whatever its kind: a kind that is new is found too.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver, Value } from '../driver.ts'
import type { Identity } from '../sessions/identities.ts'

export interface PersonRecord {
  key: string
  /** What stands before the first colon of the key: `Session`, `Grant`. */
  kind: string
  value: Value
}

export interface Walked {
  found: PersonRecord[]
  /** How many records were looked at. */
  looked: number
}

/** Whether a record is about somebody; each caller has an idea of its own. */
export type IsAbout = (record: PersonRecord) => boolean

const AT_ONCE = 50

/** Rejects with StorageError `unavailable`: then nothing is known. */
export async function walkRecords(driver: Driver, isAbout: IsAbout): Promise<Walked> {
  const seen = new Set<string>()
  const found: PersonRecord[] = []
  let cursor: string | undefined
  do {
    const page = await driver.keys(cursor)
    const fresh = page.keys.filter((key) => !seen.has(key))
    for (const key of fresh) seen.add(key)
    for (let at = 0; at < fresh.length; at += AT_ONCE) {
      const records = await Promise.all(
        fresh.slice(at, at + AT_ONCE).map((key) => read(driver, key)),
      )
      found.push(...records.flatMap((record) => (record && isAbout(record) ? [record] : [])))
    }
    cursor = page.next
  } while (cursor !== undefined)
  return { found, looked: seen.size }
}

async function read(driver: Driver, key: string): Promise<PersonRecord | undefined> {
  const record = await driver.get(key)
  return record && { key, kind: key.slice(0, Math.max(0, key.indexOf(':'))), value: record.value }
}

/** Records of ours: they say so by `accountId`, or are the memory of who got this `sub`. */
export function namesPerson(sub: string): IsAbout {
  const owner = `SubjectOwner:${hashed(sub)}`
  return ({ key, kind, value }) =>
    key === owner ||
    (kind === 'SubjectAlias' && value === sub) ||
    leavesOf(value).some(([name, leaf]) => name === 'accountId' && leaf === sub)
}

/**
 * The proof does not trust `namesPerson`: here any text that is the `sub` counts, wherever it stands, unless it names something
 * of the configuration, or the record says that it is another person's.
 */
export function mayNamePerson(sub: string): IsAbout {
  const isNamed = namesPerson(sub)
  return (record) => {
    if (isNamed(record)) return true
    const leaves = leavesOf(record.value)
    if (leaves.some(([name]) => name === 'accountId')) return false
    return leaves.some(([name, leaf]) => leaf === sub && !OF_CONFIGURATION.has(name))
  }
}

const OF_CONFIGURATION = new Set([
  'clientId',
  'client_id',
  'aud',
  'upstream',
  'scope',
  'resource',
  'kind',
  'alg',
  'cause',
  'way',
])

type Leaf = readonly [name: string, value: unknown]

/** Every value that is no object, under the name of the property that it, or the list it is in, stands under. */
function leavesOf(value: unknown, name = ''): Leaf[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown) => leavesOf(item, name))
  if (typeof value !== 'object' || value === null) return [[name, value]]
  return Object.entries(value).flatMap(([inner, item]) => leavesOf(item, inner))
}

/** The identities of the person that are in a record: itself, or within what a sign-in under way carries. */
export function identitiesIn({ value }: PersonRecord): Identity[] {
  const found: Identity[] = []
  const look = (item: unknown): void => {
    if (typeof item !== 'object' || item === null) return
    if ('upstreamIssuer' in item && 'accountId' in item) found.push(item as Identity)
    for (const inner of Object.values(item)) look(inner)
  }
  look(value)
  return found
}

/** `{ Session: 2, Grant: 3 }` */
export function countByKind(records: readonly PersonRecord[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind } of records) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

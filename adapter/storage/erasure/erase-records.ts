// Erases records of a person, with the indexes that list them and what hangs on their grants. Which records, the caller knows.
import { consentsOfUserIndex } from '../consents/consents.ts'
import type { Driver } from '../driver.ts'
import { personGrantsIndex } from '../sessions/grant-identities.ts'
import type { Identity } from '../sessions/identities.ts'
import { indexesOf, userSessionsIndex } from '../sessions/live-sessions.ts'
import { identitiesIn, type PersonRecord } from './person-records.ts'

/** Indexes of what hangs on a record, by the hash in its key. */
const HANGING: Readonly<Record<string, readonly string[]>> = {
  Grant: ['grant:'],
  Session: ['upstream-tokens-of-session:'],
  UpstreamTokens: ['grants-of-upstream-tokens:', 'sessions-of-upstream-tokens:'],
}

/** Once this resolves none of them is there. Rejects with StorageError `unavailable`; then some may be. */
export async function eraseRecords(
  driver: Driver,
  records: readonly PersonRecord[],
): Promise<void> {
  await Promise.all(records.map((record) => eraseOne(driver, record)))
}

/** The indexes that list what such records are of. Rejects as above. */
export async function dropIndexes(
  driver: Driver,
  sub: string,
  records: readonly PersonRecord[],
): Promise<void> {
  const indexes = new Set(records.flatMap(identitiesIn).flatMap(indexesOfPerson))
  const own = [userSessionsIndex(sub), consentsOfUserIndex(sub)]
  await Promise.all([...indexes, ...own].map((index) => driver.drop(index)))
}

async function eraseOne(driver: Driver, { key, kind }: PersonRecord): Promise<void> {
  const hash = key.slice(kind.length + 1)
  const hanging = (HANGING[kind] ?? []).map((index) => index + hash)
  // What hangs on a grant is listed by its keys.
  const artefacts = kind === 'Grant' ? await driver.members(`grant:${hash}`) : []
  await Promise.all([key, ...artefacts].map((one) => driver.delete(one)))
  await Promise.all(hanging.map((index) => driver.drop(index)))
}

/** Whole indexes that are this person's alone; the others list hashes of what is gone, until they expire. */
function indexesOfPerson(identity: Identity): string[] {
  const { upstream, upstreamIssuer: iss, upstreamSession: at } = identity
  const ofGrants = at === undefined ? [] : [personGrantsIndex({ upstream, iss, sub: at.sub })]
  return [...indexesOf(identity, undefined), ...ofGrants].filter((index) => OF_ONE.test(index))
}

const OF_ONE = /^(?:sessions-of-user|sessions-of-upstream-sid|(?:sessions|grants)-of-upstream-sub):/

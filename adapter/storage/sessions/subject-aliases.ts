// Which `sub` a person keeps when the upstream behind them changes: one record for each value of the claim that all
// upstreams of a group share, and one for each `sub`, so that no two people of groups ever get the same.
import { StorageError } from '../../errors.ts'
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

export interface SubjectAlias {
  group: string
  value: string
}

export interface SubjectAliases {
  /**
   * The `sub` recorded for this person, or `proposed` from now on. Of callers at the same time all get the same one. The
   * record lives `ttlSeconds` from now. One round trip; a second one at a person's first sign-in. Undefined: nothing is
   * recorded, and `proposed` is another person's already.
   */
  claim(alias: SubjectAlias, proposed: string, ttlSeconds: number): Promise<string | undefined>
  /** Changes nothing. */
  find(alias: SubjectAlias): Promise<string | undefined>
}

/** Longer than the alias itself: a `sub` must not be free while its alias lives. */
const OWNER_EXTRA_SECONDS = 86_400

/** Both reject with StorageError `unavailable`. */
export function createSubjectAliases(driver: DeferringDriver): SubjectAliases {
  async function record(key: string, sub: string, ttlSeconds: number): Promise<string> {
    if (await driver.insert(key, sub, ttlSeconds)) return sub
    const winner = await driver.get(key)
    if (winner) return winner.value as string
    throw new StorageError('unavailable', 'A subject alias is gone from the store again')
  }

  async function renew(key: string, sub: string, version: number, ttlSeconds: number) {
    await driver.defer(key, async () => void (await driver.update(key, version, sub, ttlSeconds)))
    await driver.set(ownerKey(sub), key, ttlSeconds + OWNER_EXTRA_SECONDS)
  }

  async function isOthers(sub: string, key: string): Promise<boolean> {
    const owner = await driver.get(ownerKey(sub))
    return owner?.value !== key
  }

  return {
    async claim(alias, proposed, ttlSeconds) {
      const key = aliasKey(alias)
      const [known, isFree] = await Promise.all([
        driver.get(key),
        driver.insert(ownerKey(proposed), key, ttlSeconds + OWNER_EXTRA_SECONDS),
      ])
      if (known) {
        const sub = known.value as string
        await renew(key, sub, known.version, ttlSeconds)
        return sub
      }
      if (!isFree && (await isOthers(proposed, key))) return undefined
      return record(key, proposed, ttlSeconds)
    },
    async find(alias) {
      return (await driver.get(aliasKey(alias)))?.value as string | undefined
    },
  }
}

/** Whether this `sub` is kept for somebody. Rejects as above. */
export async function isRecordedSub(driver: Driver, sub: string): Promise<boolean> {
  return (await driver.get(ownerKey(sub))) !== undefined
}

/** The length keeps two pairs from being written alike. */
function aliasKey({ group, value }: SubjectAlias): string {
  return `SubjectAlias:${hashed(`${group.length}:${group}${value}`)}`
}

function ownerKey(sub: string): string {
  return `SubjectOwner:${hashed(sub)}`
}

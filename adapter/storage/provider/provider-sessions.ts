// oidc-provider's Session in our storage: one record under its uid, and a pointer from the (hashed) cookie value to it.
// Saves of two tabs are merged; a session that has ended stays ended, whoever saves it late.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Adapter, AdapterPayload } from 'oidc-provider'
import { currentContext } from '../../../service/request-context.ts'
import type { RequestContext } from '../../../service/request-context.ts'
import { StorageError } from '../../errors.ts'
import { artefactKey } from './artefact-key.ts'
import { mergeSession, saysAsMuch } from './merge-session.ts'
import type { SessionPayload } from './merge-session.ts'
import type { DeferringDriver } from '../unit-of-work.ts'

/** What the record of an ended session holds, until no save that began before can still come. */
export const ENDED = null
export const ENDED_TTL_SECONDS = 900
/** So long a save goes on against others of the same session. */
const MERGE_MS = 2000
/** The pause before another try: twice as long each time, up to this, and by chance, so that those who met part. */
const LONGEST_PAUSE_MS = 32
/** A session found by its uid gets this in place of its cookie value, which is stored nowhere. No cookie can hold it. */
const HANDLE = 'uid '

interface Seen {
  version: number
  payload: SessionPayload
}

const pointerKey = (id: string) => artefactKey('SessionId', id)
const sessionKey = (uid: string) => artefactKey('Session', uid)

/** Sessions as this request read them: what its saves are compared with. */
const seenByRequest = new WeakMap<RequestContext, Map<string, Seen>>()
const uidsByRequest = new WeakMap<RequestContext, Map<string, string>>()

function remembered<V>(all: WeakMap<RequestContext, Map<string, V>>): Map<string, V> | undefined {
  const context = currentContext()
  if (!context) return undefined
  const known = all.get(context) ?? new Map<string, V>()
  all.set(context, known)
  return known
}

/** The part of oidc-provider's Adapter that Session uses. */
export type SessionAdapter = Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'destroy'>

/** The records under their uids. */
function createRecords(driver: DeferringDriver) {
  async function read(uid: string): Promise<Seen | undefined> {
    const record = await driver.get(sessionKey(uid))
    if (!record || record.value === ENDED) return undefined
    return { version: record.version, payload: record.value as SessionPayload }
  }

  /** Compare-and-set until it succeeds. Nothing is written when the session ended meanwhile, or says all of it already. */
  async function saveMerged(ours: SessionPayload, seen: Seen, ttlSeconds: number): Promise<void> {
    const key = sessionKey(ours.uid)
    const deadline = performance.now() + MERGE_MS
    let { version } = seen
    let merged = ours
    for (let attempt = 0; performance.now() < deadline; attempt++) {
      if (await driver.update(key, version, merged, ttlSeconds)) return
      await sleep(Math.random() * Math.min(2 ** attempt, LONGEST_PAUSE_MS))
      const theirs = await read(ours.uid)
      if (!theirs) return
      version = theirs.version
      merged = mergeSession(seen.payload, ours, theirs.payload)
      if (saysAsMuch(theirs.payload, merged)) return
    }
    const why = 'Cannot save a session: it is being saved by too many requests at once'
    throw new StorageError('unavailable', why)
  }

  /** Outside a request nobody knows what was read before: then the stored session is asked whether it is new. */
  async function saveUnseen(ours: SessionPayload, ttlSeconds: number): Promise<void> {
    const key = sessionKey(ours.uid)
    if (currentContext()) return driver.set(key, ours, ttlSeconds)
    await driver.defer(key, async () => {
      if (await driver.insert(key, ours, ttlSeconds)) return
      const stored = await read(ours.uid)
      if (stored) await saveMerged(ours, stored, ttlSeconds)
    })
  }

  return {
    read,
    saveMerged,
    saveUnseen,
    end: (uid: string, seen: Seen | undefined) => end(driver, read, uid, seen),
  }
}

/**
 * Leaves a mark instead of the record, one version on: a save that began before can not take it for what it read. This
 * request's own save may follow (then it is oidc-provider's change of the cookie value) and finds the version in `seen`.
 */
async function end(
  driver: DeferringDriver,
  read: (uid: string) => Promise<Seen | undefined>,
  uid: string,
  seen: Seen | undefined,
): Promise<void> {
  let version = seen?.version ?? (await read(uid))?.version
  while (version !== undefined) {
    if (await driver.update(sessionKey(uid), version, ENDED, ENDED_TTL_SECONDS)) {
      if (seen) seen.version = version + 1
      return
    }
    version = (await read(uid))?.version
  }
}

/** Cookie values, which are known by their hash only, and the uids they lead to. */
function createPointers(driver: DeferringDriver) {
  return {
    async uidOf(id: string): Promise<string | undefined> {
      if (id.startsWith(HANDLE)) return id.slice(HANDLE.length)
      const known = remembered(uidsByRequest)?.get(id)
      return known ?? ((await driver.get(pointerKey(id)))?.value as string | undefined)
    },
    async save(id: string, uid: string, ttlSeconds: number): Promise<void> {
      if (!id.startsWith(HANDLE)) await driver.set(pointerKey(id), uid, ttlSeconds)
    },
    remove: (id: string) => driver.delete(pointerKey(id)),
  }
}

export function createProviderSessions(driver: DeferringDriver): SessionAdapter {
  const records = createRecords(driver)
  const pointers = createPointers(driver)

  async function findByUid(uid: string, id: string): Promise<AdapterPayload | undefined> {
    const seen = await records.read(uid)
    if (!seen) return undefined
    // oidc-provider changes what it gets; the copy for comparison is our own.
    remembered(seenByRequest)?.set(uid, structuredClone(seen))
    return { ...seen.payload, jti: id } as AdapterPayload
  }

  function save(ours: SessionPayload, ttlSeconds: number): Promise<void> {
    const seen = remembered(seenByRequest)?.get(ours.uid)
    if (!seen) return records.saveUnseen(ours, ttlSeconds)
    return driver.defer(sessionKey(ours.uid), () => records.saveMerged(ours, seen, ttlSeconds))
  }

  return {
    async upsert(id, { jti: _cookieValue, ...payload }, ttlSeconds = 1) {
      const ours = payload as SessionPayload
      const ttl = Math.max(ttlSeconds, 1)
      await Promise.all([pointers.save(id, ours.uid, ttl), save(ours, ttl)])
    },
    async find(id) {
      const uid = id.startsWith(HANDLE) ? undefined : await pointers.uidOf(id)
      if (uid === undefined) return undefined
      remembered(uidsByRequest)?.set(id, uid)
      return findByUid(uid, id)
    },
    findByUid: (uid) => findByUid(uid, HANDLE + uid),
    /**
     * oidc-provider calls this to end a session, and also to give up the old cookie value right before it saves the same
     * session under a new one. Put off to the end of the request, the ending gives way to such a save.
     */
    async destroy(id) {
      const uid = await pointers.uidOf(id)
      if (uid === undefined) return
      const seen = remembered(seenByRequest)?.get(uid)
      const ending = driver.defer(sessionKey(uid), () => records.end(uid, seen))
      await Promise.all([pointers.remove(id), ending])
    },
  }
}

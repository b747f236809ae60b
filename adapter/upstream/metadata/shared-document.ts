// One document of an upstream (metadata, JWKS) as many logins share it: one request at a time, renewed behind the back of
// a login while the old one still serves, a failure not asked for again at once. Knows no content.

export interface SharedDocument<T> {
  /** @throws what `load` threw, when there is no document young enough */
  current(): Promise<T>
  /** One loaded within `ageMs`, or loaded now. @throws what `load` threw */
  recent(ageMs: number): Promise<T>
  /** Loads it, or joins the load under way. */
  renew(): Promise<T>
  /** The last one loaded, whatever its age. */
  latest(): T | undefined
  /** The load under way, if any. */
  underWay(): Promise<T> | undefined
}

export interface SharedDocumentOptions<T> {
  /** `freshMs`: renewed behind the scenes when older. */
  load: () => Promise<{ value: T; freshMs: number }>
  /** Epoch milliseconds. */
  now: () => number
  /** Not used any more when older. */
  maxAgeMs: number
}

/** After a failure logins rest this long, so that a stampede asks a dead upstream once; */
const REST_MS = 500
/** longer where an old document still serves. */
const RENEWAL_REST_MS = 60_000

export function createSharedDocument<T>(options: SharedDocumentOptions<T>): SharedDocument<T> {
  const { load, now, maxAgeMs } = options
  let document: { value: T; freshMs: number; at: number } | undefined
  let failure: { error: unknown; at: number } | undefined
  let underWay: Promise<T> | undefined

  async function loadAndKeep(): Promise<T> {
    try {
      const loaded = await load()
      document = { ...loaded, at: now() }
      failure = undefined
      return loaded.value
    } catch (error) {
      failure = { error, at: now() }
      throw error
    } finally {
      underWay = undefined
    }
  }

  const renew = () => (underWay ??= loadAndKeep())

  async function current(): Promise<T> {
    if (document && isWithin(now(), document.at, document.freshMs)) return document.value
    if (document && isWithin(now(), document.at, maxAgeMs)) {
      const isResting = failure && isWithin(now(), failure.at, RENEWAL_REST_MS)
      if (!isResting) renew().catch(() => {})
      return document.value
    }
    return recent(0)
  }

  async function recent(ageMs: number): Promise<T> {
    if (document && isWithin(now(), document.at, ageMs)) return document.value
    if (!underWay && failure && isWithin(now(), failure.at, REST_MS)) throw failure.error
    return renew()
  }

  return { current, recent, renew, latest: () => document?.value, underWay: () => underWay }
}

/** Whether less than `milliseconds` went by since `at`; never so when the clock was put back behind it. */
export function isWithin(now: number, at: number, milliseconds: number): boolean {
  return now >= at && now - at < milliseconds
}

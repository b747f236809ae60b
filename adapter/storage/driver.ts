// The storage driver contract. Everything the adapter keeps is written once on top of these few operations; a driver
// knows nothing of OAuth. The conformance suite (driver.conformance.ts) is this page as tests.

/** JSON-serialisable. */
export type Value = unknown

export interface StoredRecord {
  value: Value
  /** 1 at insert or set; one more at each update. */
  version: number
  /** Epoch milliseconds. A record at or past it is never returned: the store's own TTL is garbage collection, not truth. */
  expiresAt: number
  /** Epoch milliseconds of the one successful `consume`; absent before it. */
  consumedAt?: number
}

export interface KeysPage {
  keys: string[]
  /** Absent with the last page. */
  next?: string
}

/**
 * Keys and index names are strings of printable ASCII up to 512 characters. TTLs are seconds > 0 (fractions allowed).
 * Each operation resolves or rejects within the driver's command timeout (500 ms: Redis command, SQLite lock wait) with
 * StorageError `unavailable`; none hangs. Each is atomic alone; there are no transactions over two keys.
 */
export interface Driver {
  readonly kind: 'memory' | 'sqlite' | 'redis'

  /** The live record, or undefined. */
  get(key: string): Promise<StoredRecord | undefined>
  /** Writes whatever was there; version 1, not consumed. */
  set(key: string, value: Value, ttlSeconds: number): Promise<void>
  /** Several `set`s that go out together: one wait for the caller. Keys are distinct; not atomic across keys. */
  setAll(entries: readonly { key: string; value: Value; ttlSeconds: number }[]): Promise<void>
  /** Removes the record if there is one. */
  delete(key: string): Promise<void>

  /** Writes only if no live record is there. True for exactly one of any number of concurrent callers. */
  insert(key: string, value: Value, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes at once. Exactly one of any number of concurrent callers gets the record. */
  take(key: string): Promise<StoredRecord | undefined>
  /** Marks a live record once. True for exactly one caller; false if consumed before, or not there. Keeps value, version, expiry. */
  consume(key: string): Promise<boolean>
  /** Compare-and-set: writes if the live record has `expectedVersion`; keeps the consumed mark; new expiry when a TTL is given. */
  update(key: string, expectedVersion: number, value: Value, ttlSeconds?: number): Promise<boolean>

  /**
   * The keys of all records, a page at a time, in no order: the first without a cursor, each other one with `next` of the one
   * before. A record that is there from the first page to the last is named at least once; a key may come twice.
   */
  keys(cursor?: string): Promise<KeysPage>

  /** Adds a member to a set; the member lives at least `ttlSeconds` from now (an add never shortens its life). */
  add(index: string, member: string, ttlSeconds: number): Promise<void>
  /** All members, in no order; [] if none. Members may point at records that are gone. */
  members(index: string): Promise<string[]>
  /** Removes one member, or the whole set when none is named. */
  drop(index: string, member?: string): Promise<void>

  /**
   * Mutual exclusion with expiry: true when `owner` now holds the lease (free, expired, or already its own: then the
   * expiry is renewed). False while another owner holds it.
   */
  lease(key: string, owner: string, ttlSeconds: number): Promise<boolean>
  /** Ends the lease if `owner` holds it. */
  release(key: string, owner: string): Promise<void>

  /** Resolves if the store answers a write-capable check in time, rejects with StorageError `unavailable` otherwise. */
  ping(): Promise<void>
  /** Stops timers and connections. Later calls reject with StorageError `unavailable`. */
  close(): Promise<void>
}

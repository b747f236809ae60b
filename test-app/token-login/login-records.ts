// What the server keeps of a sign-in at /login.html: the refresh token of the identity service, found by the `jti` of the
// adapter's refresh JWT, each good once. Who refreshes holds the record meanwhile; all others wait for the result.
import { randomBytes } from 'node:crypto'
import type { SealedRecords } from '../store/sealed-records.ts'
import type { LoginName, TokenPair } from './token-cookies.ts'

/** A refresh that takes longer is given up, and another may try. */
const LEASE_MS = 30_000
/** Requests that were under way with the cookies of before get the new ones. */
const LATE_MS = 10_000

export interface LoginRecord extends LoginName {
  readonly subject: string
  readonly startedAt: number
  readonly identityRefreshToken: string
  /** Of the one refresh JWT that counts. */
  readonly jti: string
  readonly expiresAt: number
  readonly heldUntil?: number
  readonly before?: { readonly jti: string; readonly until: number; readonly tokens: TokenPair }
}

export type Taken =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'held' }
  | { readonly kind: 'late'; readonly record: LoginRecord; readonly tokens: TokenPair }
  | { readonly kind: 'reused'; readonly record: LoginRecord }
  | { readonly kind: 'taken'; readonly hold: Hold }

/** Each resolves to false where the sign-in ended meanwhile, or another holds the record. */
export interface Hold {
  readonly record: LoginRecord
  /** The identity service has given another one. */
  keep(identityRefreshToken: string): Promise<boolean>
  /** Somebody else may try. */
  release(): Promise<boolean>
  /** These count from now on. */
  renew(jti: string, tokens: TokenPair): Promise<boolean>
}

/** Each rejects with SessionStoreError. */
export interface LoginRecords {
  create(record: Omit<LoginRecord, 'loginId' | 'expiresAt'>, expiresAt: number): Promise<LoginName>
  /** Of a refresh JWT that was verified. */
  take(jti: string): Promise<Taken>
  findByJti(jti: string): Promise<LoginRecord | undefined>
  find(loginId: string): Promise<LoginRecord | undefined>
  remove(loginId: string): Promise<void>
}

export interface LoginRecordsOptions {
  readonly records: SealedRecords
  readonly now: () => number
}

interface SeenRecord {
  readonly record: LoginRecord
  readonly version: string
}

interface Pointer {
  readonly loginId: string
}

const keyOf = (loginId: string) => `login ${loginId}`
const pointerKeyOf = (jti: string) => `refresh ${jti}`

export function createLoginRecords({ records, now }: LoginRecordsOptions): LoginRecords {
  const { point, seen, seenByJti } = createLookup(records)
  return {
    async create(record, expiresAt) {
      const loginId = randomBytes(18).toString('base64url')
      await records.save(keyOf(loginId), { ...record, loginId, expiresAt }, expiresAt)
      await point(record.jti, loginId, expiresAt)
      return { loginId, flowId: record.flowId }
    },
    async take(jti) {
      const found = await seenByJti(jti)
      if (!found) return { kind: 'unknown' }
      const { record, version } = found
      if (record.jti !== jti) return usedBefore(record, jti, now())
      if (now() < (record.heldUntil ?? 0)) return { kind: 'held' }
      const held = { ...record, heldUntil: now() + LEASE_MS }
      const mine = await records.replace(keyOf(record.loginId), version, held, record.expiresAt)
      if (mine === undefined) return { kind: 'held' }
      return { kind: 'taken', hold: createHold({ records, now }, { record: held, version: mine }) }
    },
    findByJti: async (jti) => (await seenByJti(jti))?.record,
    find: async (loginId) => (await seen(loginId))?.record,
    remove: (loginId) => records.remove(keyOf(loginId)),
  }
}

function createLookup(records: SealedRecords) {
  async function seen(loginId: string): Promise<SeenRecord | undefined> {
    const found = await records.find(keyOf(loginId))
    return found && { record: found.value as LoginRecord, version: found.version }
  }
  return {
    seen,
    async seenByJti(jti: string): Promise<SeenRecord | undefined> {
      const pointer = await records.find(pointerKeyOf(jti))
      return pointer && seen((pointer.value as Pointer).loginId)
    },
    point: (jti: string, loginId: string, expiresAt: number) =>
      records.save(pointerKeyOf(jti), { loginId }, expiresAt),
  }
}

function createHold({ records, now }: LoginRecordsOptions, held: SeenRecord): Hold {
  const { point } = createLookup(records)
  const { loginId } = held.record
  let current = held
  async function replace(record: LoginRecord): Promise<boolean> {
    const { version: before } = current
    const version = await records.replace(keyOf(loginId), before, record, record.expiresAt)
    if (version !== undefined) current = { record, version }
    return version !== undefined
  }
  return {
    get record() {
      return current.record
    },
    keep: (identityRefreshToken) =>
      replace({ ...current.record, identityRefreshToken, heldUntil: now() + LEASE_MS }),
    release: () => replace(released(current.record)),
    async renew(jti, tokens) {
      const { expiresAt } = tokens.refresh
      const before = { jti: current.record.jti, until: now() + LATE_MS, tokens }
      await point(jti, loginId, expiresAt)
      return replace({ ...released(current.record), jti, expiresAt, before })
    },
  }
}

function usedBefore(record: LoginRecord, jti: string, now: number): Taken {
  const { before } = record
  return before?.jti === jti && now < before.until
    ? { kind: 'late', record, tokens: before.tokens }
    : { kind: 'reused', record }
}

function released({ heldUntil: _held, ...record }: LoginRecord): LoginRecord {
  return record
}

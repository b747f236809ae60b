// Sessions of the API and their refresh tokens, of which only the hash is kept. Each change that only one of several callers may
// make is one statement that says whether it was this one.
import { createHash, randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from '../../schema/transaction.ts'

export interface AuthSession {
  id: string
  accountId: string
  /** Undefined until a branch is chosen. */
  branchId: string | undefined
  /** Of the latest access token. */
  jti: string
  /** Epoch milliseconds, both. */
  createdAt: number
  expiresAt: number
}

/** What stands in the session after a change. */
export interface Issued {
  jti: string
  refreshToken: string
}

export interface NewSession {
  accountId: string
  branchId?: string | undefined
  jti: string
  /** Absent: it can not be refreshed. */
  refreshToken?: string
  ttlSeconds: number
}

export interface AuthSessions {
  /** Notes at the account when it was. */
  start(session: NewSession): AuthSession
  /** Only where it is active and not over. */
  find(id: string): AuthSession | undefined
  /** Only where the session is active and not over. */
  findByRefreshToken(token: string): { session: AuthSession; isUsedUp: boolean } | undefined
  /** False, and the session is revoked, where the token was used before. */
  rotate(session: AuthSession, token: string, next: Issued): boolean
  /** False, and nothing changed, where a branch is chosen already or the access token is not the latest. */
  selectBranch(session: AuthSession, branchId: string, next: Issued): boolean
  revoke(id: string): void
  revokeAllOf(sub: string): void
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

function sessionFrom(row: Record<string, unknown>): AuthSession {
  const { branch_id: branchId } = row
  return {
    id: String(row['id']),
    accountId: String(row['account_id']),
    branchId: branchId === null ? undefined : String(branchId),
    jti: String(row['jti']),
    createdAt: Number(row['created_at']),
    expiresAt: Number(row['expires_at']),
  }
}

function prepare(database: DatabaseSync) {
  const usable = `auth_session.status = 'ACTIVE' AND expires_at > ?`
  return {
    insert: database.prepare(
      `INSERT INTO auth_session (id, account_id, branch_id, jti, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?)`,
    ),
    noteLogin: database.prepare('UPDATE account SET last_login_at = ? WHERE id = ?'),
    insertToken: database.prepare('INSERT INTO refresh_token (hash, session_id) VALUES (?, ?)'),
    byId: database.prepare(`SELECT * FROM auth_session WHERE id = ? AND ${usable}`),
    byToken: database.prepare(
      `SELECT auth_session.*, used_at FROM refresh_token JOIN auth_session ON auth_session.id = session_id
       WHERE hash = ? AND ${usable}`,
    ),
    use: database.prepare(
      'UPDATE refresh_token SET used_at = ? WHERE hash = ? AND used_at IS NULL',
    ),
    useAll: database.prepare(
      'UPDATE refresh_token SET used_at = ? WHERE session_id = ? AND used_at IS NULL',
    ),
    setJti: database.prepare(`UPDATE auth_session SET jti = ? WHERE id = ? AND status = 'ACTIVE'`),
    choose: database.prepare(
      `UPDATE auth_session SET branch_id = ?, jti = ?
       WHERE id = ? AND jti = ? AND branch_id IS NULL AND ${usable}`,
    ),
    revoke: database.prepare(`UPDATE auth_session SET status = 'REVOKED' WHERE id = ?`),
    revokeAllOf: database.prepare(
      `UPDATE auth_session SET status = 'REVOKED'
       WHERE account_id IN (SELECT id FROM account WHERE sub = ?)`,
    ),
    forget: database.prepare('DELETE FROM auth_session WHERE expires_at <= ?'),
  }
}

type Statements = ReturnType<typeof prepare>

function changes(database: DatabaseSync, statements: Statements, now: () => number) {
  const { use, useAll, insertToken, setJti, choose, revoke } = statements
  return {
    rotate: (session: AuthSession, token: string, { jti, refreshToken }: Issued) =>
      inTransaction(database, () => {
        const isFirst = use.run(now(), hashOf(token)).changes === 1
        if (!isFirst || setJti.run(jti, session.id).changes !== 1) {
          revoke.run(session.id)
          return false
        }
        insertToken.run(hashOf(refreshToken), session.id)
        return true
      }),
    selectBranch: (session: AuthSession, branchId: string, { jti, refreshToken }: Issued) =>
      inTransaction(database, () => {
        if (choose.run(branchId, jti, session.id, session.jti, now()).changes !== 1) return false
        useAll.run(now(), session.id)
        insertToken.run(hashOf(refreshToken), session.id)
        return true
      }),
  }
}

/** `now` in epoch milliseconds. */
export function createAuthSessions(database: DatabaseSync, now: () => number): AuthSessions {
  const statements = prepare(database)
  const { insert, noteLogin, insertToken, byId, byToken, revoke, revokeAllOf, forget } = statements
  const sessionIn = (row: Record<string, unknown> | undefined) => row && sessionFrom(row)
  return {
    start({ accountId, branchId, jti, refreshToken, ttlSeconds }) {
      const [id, createdAt] = [randomUUID(), now()]
      const expiresAt = createdAt + ttlSeconds * 1000
      inTransaction(database, () => {
        forget.run(createdAt)
        noteLogin.run(createdAt, accountId)
        insert.run(id, accountId, branchId ?? null, jti, createdAt, expiresAt)
        if (refreshToken !== undefined) insertToken.run(hashOf(refreshToken), id)
      })
      return { id, accountId, branchId, jti, createdAt, expiresAt }
    },
    find: (id) => sessionIn(byId.get(id, now())),
    findByRefreshToken(token) {
      const row = byToken.get(hashOf(token), now())
      return row && { session: sessionFrom(row), isUsedUp: row['used_at'] !== null }
    },
    ...changes(database, statements, now),
    revoke: (id) => void revoke.run(id),
    revokeAllOf: (sub) => void revokeAllOf.run(sub),
  }
}

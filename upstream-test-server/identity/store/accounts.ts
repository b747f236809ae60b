// Accounts by e-mail address, and when they were last used. Their passwords are those of the people in `users`.
import type { DatabaseSync } from 'node:sqlite'

export interface Account {
  id: string
  sub: string
  email: string
  kind: 'CUSTOMER' | 'SYSTEM'
  /** Whether there is a credential of type PASSWORD in use. */
  hasPassword: boolean
  /** Epoch milliseconds. */
  lastLoginAt: number | undefined
}

export interface Accounts {
  findByEmail(email: string): Account | undefined
  find(id: string): Account | undefined
}

export const emailKey = (typed: string) => typed.normalize('NFC').toLowerCase()

function accountFrom(row: Record<string, unknown>): Account {
  const { last_login_at: lastLoginAt } = row
  return {
    id: String(row['id']),
    sub: String(row['sub']),
    email: String(row['email']),
    kind: row['kind'] as Account['kind'],
    hasPassword: row['has_password'] === 1,
    lastLoginAt: lastLoginAt === null ? undefined : Number(lastLoginAt),
  }
}

const select = `SELECT account.*, EXISTS (
    SELECT 1 FROM credential
    WHERE account_id = account.id AND credential_type = 'PASSWORD' AND credential.status = 'ACTIVE'
  ) AS has_password FROM account`

export function createAccounts(database: DatabaseSync): Accounts {
  const byEmail = database.prepare(`${select} WHERE email = ?`)
  const byId = database.prepare(`${select} WHERE id = ?`)
  const accountIn = (row: Record<string, unknown> | undefined) => row && accountFrom(row)
  return {
    findByEmail: (email) => accountIn(byEmail.get(emailKey(email))),
    find: (id) => accountIn(byId.get(id)),
  }
}

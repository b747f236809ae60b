// The people of the test server: who they are, and whether a password is theirs.
import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from '../schema/transaction.ts'
import { hashPassword, nobodysHash, verifyPassword } from './password.ts'
import type { PasswordCost } from './password.ts'
import { seedPassword, seedUsers } from './seed-users.ts'
import type { SeedUser } from './seed-users.ts'

/** `SYSTEM`: an account for programs, which signs in on its own path only. */
export type Standing = 'ACTIVE' | 'LOCKED' | 'DISABLED' | 'SYSTEM'

export interface User {
  sub: string
  username: string
  name: string
  email: string | undefined
  emailVerified: boolean
  roles: string[]
  attributes: Record<string, unknown>
  failedAttempts: number
  /** Of the account in the identity service; who has none is active. */
  standing: Standing
}

export type PasswordCheck =
  | { ok: true; user: User }
  /** `sub` and `failedAttempts` are those of the person who was tried, if there is one. */
  | { ok: false; sub: string | undefined; failedAttempts: number | undefined }

export interface NewUser extends SeedUser {
  password: string
}

export interface Users {
  find(sub: string): User | undefined
  findByName(username: string): User | undefined
  /** By user name. */
  list(): User[]
  /**
   * Takes the place of who had this user name. True where the person had another password before.
   * @throws where the sub is somebody else's
   */
  put(user: NewUser): Promise<boolean>
  remove(username: string): void
  /** As slow for an unknown user name as for a wrong password. Counts failures; success resets. */
  checkPassword(username: string, password: string): Promise<PasswordCheck>
  failedAttempts(username: string): number
  resetFailedAttempts(username: string): void
}

type Row = Record<string, unknown>

function userFrom(row: Row): User {
  return {
    sub: String(row.sub),
    username: String(row.username),
    name: String(row.name),
    email: row.email === null ? undefined : String(row.email),
    emailVerified: row.email_verified === 1,
    roles: JSON.parse(String(row.roles)) as string[],
    attributes: JSON.parse(String(row.attributes)) as Record<string, unknown>,
    failedAttempts: Number(row.failed_attempts),
    standing: String(row.standing) as Standing,
  }
}

const userNameOf = (typed: string) => typed.normalize('NFC').trim()

function insertUser(
  database: DatabaseSync,
  onConflict: string,
): (user: SeedUser, passwordHash: string) => void {
  const insert = database.prepare(
    `INSERT INTO users
       (sub, username, password_hash, name, email, email_verified, roles, attributes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ${onConflict}`,
  )
  return (user, passwordHash) => {
    const { sub, username, name, email = null, emailVerified = false, roles, attributes } = user
    const json = [JSON.stringify(roles), JSON.stringify(attributes)] as const
    insert.run(sub, userNameOf(username), passwordHash, name, email, Number(emailVerified), ...json)
  }
}

const others = 'username password_hash name email email_verified roles attributes'.split(' ')
const assignments = others.map((column) => `${column} = excluded.${column}`).join(', ')
const replace = `(sub) DO UPDATE SET ${assignments}, failed_attempts = 0`

/** Fills an empty table; people who are already there, changed or not, stay as they are. */
async function seed(
  database: DatabaseSync,
  cost: PasswordCost,
  people: readonly SeedUser[],
): Promise<void> {
  if (database.prepare('SELECT 1 FROM users LIMIT 1').get()) return
  await addPeople(database, cost, people)
}

/** Whose user name or sub is taken stays out. */
export async function addPeople(
  database: DatabaseSync,
  cost: PasswordCost,
  people: readonly SeedUser[],
): Promise<void> {
  // The password is no secret and the same for all: one hash will do.
  const hash = await hashPassword(seedPassword, cost)
  const insert = insertUser(database, 'DO NOTHING')
  inTransaction(database, () => people.forEach((user) => insert(user, hash)))
}

const selectUser = `SELECT users.*,
    CASE WHEN account.kind = 'SYSTEM' THEN 'SYSTEM' ELSE coalesce(account.status, 'ACTIVE') END AS standing
  FROM users LEFT JOIN account USING (sub)`

function prepareStatements(database: DatabaseSync) {
  return {
    bySub: database.prepare(`${selectUser} WHERE sub = ?`),
    byName: database.prepare(`${selectUser} WHERE username = ?`),
    all: database.prepare(`${selectUser} ORDER BY username`),
    remove: database.prepare('DELETE FROM users WHERE username = ?'),
    removeOther: database.prepare('DELETE FROM users WHERE username = ? AND sub <> ?'),
    reset: database.prepare('UPDATE users SET failed_attempts = 0 WHERE username = ?'),
    count: database.prepare(
      `UPDATE users SET failed_attempts = failed_attempts + 1 WHERE username = ?
       RETURNING sub, failed_attempts`,
    ),
  }
}

type Statements = ReturnType<typeof prepareStatements>

function countFailure({ count }: Statements, username: string): PasswordCheck {
  const row = count.get(username)
  const failedAttempts = row && Number(row.failed_attempts)
  return { ok: false, sub: row && String(row.sub), failedAttempts }
}

function passwordChecks(statements: Statements, cost: PasswordCost) {
  const unknown = nobodysHash(cost)
  const { byName, reset } = statements
  return {
    async checkPassword(typedName: string, password: string): Promise<PasswordCheck> {
      const username = userNameOf(typedName)
      const row = byName.get(username)
      const matches = await verifyPassword(password, row ? String(row.password_hash) : unknown)
      // It may have been changed during the hash.
      const isStill = byName.get(username)?.password_hash === row?.password_hash
      if (!row || !matches || !isStill) return countFailure(statements, username)
      if (row.failed_attempts !== 0) reset.run(username)
      return { ok: true, user: userFrom(row) }
    },
    failedAttempts: (username: string) =>
      Number(byName.get(userNameOf(username))?.failed_attempts ?? 0),
    resetFailedAttempts: (username: string) => void reset.run(userNameOf(username)),
  }
}

export async function createUsers(
  database: DatabaseSync,
  cost: PasswordCost,
  people: readonly SeedUser[] = seedUsers,
): Promise<Users> {
  await seed(database, cost, people)
  const statements = prepareStatements(database)
  const { bySub, byName, all, remove, removeOther } = statements
  const insert = insertUser(database, replace)
  const userIn = (row: Row | undefined) => row && userFrom(row)
  return {
    find: (sub) => userIn(bySub.get(sub)),
    findByName: (username) => userIn(byName.get(userNameOf(username))),
    list: () => all.all().map(userFrom),
    async put({ password, ...user }) {
      const before = bySub.get(user.sub)?.password_hash
      const isSame = before !== undefined && (await verifyPassword(password, String(before)))
      const hash = isSame ? String(before) : await hashPassword(password, cost)
      inTransaction(database, () => {
        const username = userNameOf(user.username)
        removeOther.run(username, user.sub)
        // Not deleted where it is the same person: the account would go too.
        if ((bySub.get(user.sub)?.username ?? username) !== username)
          throw new Error("this sub is somebody else's")
        insert(user, hash)
      })
      return before !== undefined && !isSame
    },
    remove: (username) => void remove.run(userNameOf(username)),
    ...passwordChecks(statements, cost),
  }
}

import type { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../database.ts'
import { demoUsers } from '../../people/seed-users.ts'
import { createUsers } from '../../people/users.ts'
import { seedIdentity } from './seed-identity.ts'

const cheap = { memoryKib: 8, passes: 1, parallelism: 1 }

async function seeded() {
  const database = openDatabase(':memory:')
  const users = await createUsers(database, cheap, demoUsers)
  await seedIdentity(database, cheap)
  return { database, users }
}

const emails = (database: DatabaseSync) =>
  database
    .prepare('SELECT email FROM account ORDER BY email')
    .all()
    .map(({ email }) => String(email).replace('@example.test', ''))

describe(seedIdentity, () => {
  it('gives accounts to one person of the login form and to each who meets another answer', async () => {
    const { database, users } = await seeded()
    expect(emails(database)).toEqual([
      'disabled',
      'locked',
      'member-disabled',
      'multi',
      'no-branch',
      'single',
      'system',
      'workspace-disabled',
    ])
    const { sub } =
      database.prepare(`SELECT sub FROM account WHERE email LIKE 'single@%'`).get() ?? {}
    expect(sub).toBe('testuser')
    for (const username of ['multi', 'no-branch'])
      expect(await users.checkPassword(username, 'password')).toMatchObject({ ok: true })
  })

  it('gives three branches with different roles in each', async () => {
    const { database } = await seeded()
    const rows = database
      .prepare(
        `SELECT branch_id, group_concat(code) AS codes FROM account
         JOIN workspace_member m ON m.account_id = account.id JOIN branch_member b ON b.member_id = m.id
         JOIN branch_member_role r ON r.branch_member_id = b.id JOIN role ON role.id = r.role_id
         WHERE email = 'multi@example.test' GROUP BY branch_id`,
      )
      .all()
    expect(new Set(rows.map(({ codes }) => codes)).size).toBe(3)
  })

  it('says how the account stands with the person, for every way of signing in', async () => {
    const { users } = await seeded()
    const standingOf = (username: string) => users.findByName(username)?.standing
    expect(['testuser', 'ada', 'locked', 'disabled', 'system'].map(standingOf)).toEqual([
      'ACTIVE',
      'ACTIVE',
      'LOCKED',
      'DISABLED',
      'SYSTEM',
    ])
  })

  it('does not come back to a file that was seeded, whatever was changed since', async () => {
    const { database, users } = await seeded()
    users.remove('multi')
    await seedIdentity(database, cheap)
    expect(emails(database)).not.toContain('multi')
    expect(users.findByName('multi')).toBeUndefined()
  })

  it('keeps the account of a person who is put again, and takes it from one who is removed', async () => {
    const { database, users } = await seeded()
    const person = { sub: 'testuser', username: 'testuser', name: 'T', roles: [], attributes: {} }
    await users.put({ ...person, password: 'another' })
    expect(emails(database)).toContain('single')
    expect(await users.checkPassword('testuser', 'another')).toMatchObject({ ok: true })
    await users.put({ ...person, sub: 'another-sub', password: 'password' })
    expect(emails(database)).not.toContain('single')
  })
})

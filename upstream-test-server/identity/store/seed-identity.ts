// Writes the accounts of first start into a file that has none, also into one whose people were there before.
import { randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import type { PasswordCost } from '../../people/password.ts'
import { addPeople } from '../../people/users.ts'
import { inTransaction } from '../../schema/transaction.ts'
import { identityPeople, seedAccounts, workspaces } from './identity-people.ts'
import type { SeedAccount, SeedMember } from './identity-people.ts'

const emptyTables = (database: DatabaseSync) =>
  database.prepare('SELECT 1 FROM workspace LIMIT 1').get() === undefined

function insertInto(database: DatabaseSync, table: string, row: Record<string, string>): void {
  const columns = Object.keys(row)
  const marks = columns.map(() => '?').join(', ')
  database
    .prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${marks})`)
    .run(...Object.values(row))
}

function seedWorkspaces(database: DatabaseSync): void {
  for (const [id, { name, status = 'ACTIVE', branches }] of Object.entries(workspaces)) {
    insertInto(database, 'workspace', { id, name, status })
    for (const [branch, branchName] of Object.entries(branches))
      insertInto(database, 'branch', { id: branch, workspace_id: id, name: branchName })
  }
}

function roleId(database: DatabaseSync, code: string): string {
  const known = database.prepare('SELECT id FROM role WHERE code = ?').get(code)
  if (known) return String(known['id'])
  insertInto(database, 'role', { id: `role-${code}`, code })
  return `role-${code}`
}

function seedMember(database: DatabaseSync, account_id: string, member: SeedMember): void {
  const { workspace: workspace_id, status = 'ACTIVE' } = member
  const member_id = randomUUID()
  insertInto(database, 'workspace_member', { id: member_id, workspace_id, account_id, status })
  for (const code of member.roles)
    insertInto(database, 'member_role', { member_id, role_id: roleId(database, code) })
  for (const [branch_id, codes] of Object.entries(member.branches)) {
    const branch_member_id = randomUUID()
    insertInto(database, 'branch_member', { id: branch_member_id, branch_id, member_id })
    for (const code of codes)
      insertInto(database, 'branch_member_role', {
        branch_member_id,
        role_id: roleId(database, code),
      })
  }
}

function seedAccount(database: DatabaseSync, account: SeedAccount): void {
  const { sub, email, kind = 'CUSTOMER', status = 'ACTIVE', member } = account
  const isThere = database.prepare('SELECT 1 FROM users WHERE sub = ?').get(sub)
  if (!isThere) return
  const id = randomUUID()
  insertInto(database, 'account', { id, sub, email, kind, status })
  insertInto(database, 'credential', { account_id: id, credential_type: 'PASSWORD' })
  if (member) seedMember(database, id, member)
}

/** Accounts that are already there, changed or not, stay as they are; a person who was removed gets none. */
export async function seedIdentity(database: DatabaseSync, cost: PasswordCost): Promise<void> {
  if (!emptyTables(database)) return
  await addPeople(database, cost, identityPeople)
  inTransaction(database, () => {
    if (!emptyTables(database)) return
    seedWorkspaces(database)
    for (const account of seedAccounts) seedAccount(database, account)
  })
}

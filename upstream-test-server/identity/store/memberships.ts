// Where an account belongs: workspaces, branches and the roles in each. Disabled branches and those one was taken out of do not show.
import type { DatabaseSync } from 'node:sqlite'

type Status = 'ACTIVE' | 'DISABLED'

export interface Membership {
  workspace: { id: string; name: string; status: Status }
  member: { id: string; status: Status; roles: string[] }
  branches: { id: string; workspaceId: string; name: string; roles: string[] }[]
}

export interface Memberships {
  /** In the order of the names. */
  of(accountId: string): Membership[]
}

type Row = Record<string, unknown>

const codesFrom = (rows: Row[]) => rows.map(({ code }) => String(code))

function prepare(database: DatabaseSync) {
  return {
    members: database.prepare(
      `SELECT m.id, m.status, w.id AS workspace_id, w.name, w.status AS workspace_status
       FROM workspace_member m JOIN workspace w ON w.id = m.workspace_id
       WHERE m.account_id = ? ORDER BY w.name, w.id`,
    ),
    branches: database.prepare(
      `SELECT bm.id AS branch_member_id, b.id, b.name, b.workspace_id
       FROM branch_member bm JOIN branch b ON b.id = bm.branch_id
       WHERE bm.member_id = ? AND bm.status = 'ACTIVE' AND b.status = 'ACTIVE' ORDER BY b.name, b.id`,
    ),
    memberRoles: database.prepare(
      `SELECT code FROM member_role JOIN role ON role.id = role_id WHERE member_id = ? ORDER BY code`,
    ),
    branchRoles: database.prepare(
      `SELECT code FROM branch_member_role JOIN role ON role.id = role_id
       WHERE branch_member_id = ? ORDER BY code`,
    ),
  }
}

export function createMemberships(database: DatabaseSync): Memberships {
  const { members, branches, memberRoles, branchRoles } = prepare(database)
  const branchFrom = (row: Row) => ({
    id: String(row['id']),
    workspaceId: String(row['workspace_id']),
    name: String(row['name']),
    roles: codesFrom(branchRoles.all(String(row['branch_member_id']))),
  })
  const membershipFrom = (row: Row): Membership => {
    const id = String(row['id'])
    const status = row['status'] as Status
    return {
      workspace: {
        id: String(row['workspace_id']),
        name: String(row['name']),
        status: row['workspace_status'] as Status,
      },
      member: { id, status, roles: codesFrom(memberRoles.all(id)) },
      branches: branches.all(id).map(branchFrom),
    }
  }
  return { of: (accountId) => members.all(accountId).map(membershipFrom) }
}

// Whose accounts are there on first start, and where they belong. Each meets another answer at the sign-in.
import type { SeedUser } from '../../people/seed-users.ts'

export interface SeedAccount {
  /** Of the person in `users`. */
  sub: string
  /** To sign in with at the API; the address in tokens is the person's own. */
  email: string
  kind?: 'SYSTEM'
  status?: 'LOCKED' | 'DISABLED'
  member?: SeedMember
}

export interface SeedMember {
  workspace: string
  status?: 'DISABLED'
  roles: readonly string[]
  /** Roles by branch. */
  branches: Readonly<Record<string, readonly string[]>>
}

export interface SeedWorkspace {
  name: string
  status?: 'DISABLED'
  /** Names by id. */
  branches: Readonly<Record<string, string>>
}

export const workspaces: Readonly<Record<string, SeedWorkspace>> = {
  'ws-harbour': {
    name: 'Harbour Goods',
    branches: { 'br-north': 'North Pier', 'br-south': 'South Pier', 'br-depot': 'Depot' },
  },
  'ws-closed': { name: 'Closed Mill', status: 'DISABLED', branches: { 'br-mill': 'Mill' } },
}

const nameOf: Readonly<Record<string, string>> = {
  multi: 'Mina Multi',
  locked: 'Lou Locked',
  'workspace-disabled': 'Wim Wound-Up',
  'member-disabled': 'Mel Dismissed',
  'no-branch': 'Noa Nowhere',
  system: 'Night Import',
}

/** Those who are not among the people of the login form already; they can use it, too. */
export const identityPeople: readonly SeedUser[] = Object.entries(nameOf).map(
  ([username, name]) => ({
    sub: `user-${username}`,
    username,
    name,
    email: `${username}@example.test`,
    emailVerified: true,
    roles: ['user'],
    attributes: {},
  }),
)

const harbour = (branches: SeedMember['branches'], roles: readonly string[] = ['member']) => ({
  workspace: 'ws-harbour',
  roles,
  branches,
})

const north = { 'br-north': ['clerk'] }

export const seedAccounts: readonly SeedAccount[] = [
  { sub: 'testuser', email: 'single@example.test', member: harbour(north) },
  {
    sub: 'user-multi',
    email: 'multi@example.test',
    member: harbour({
      'br-north': ['manager', 'clerk'],
      'br-south': ['clerk'],
      'br-depot': ['auditor'],
    }),
  },
  { sub: 'user-locked', email: 'locked@example.test', status: 'LOCKED', member: harbour(north) },
  {
    sub: 'user-disabled',
    email: 'disabled@example.test',
    status: 'DISABLED',
    member: harbour(north),
  },
  {
    sub: 'user-workspace-disabled',
    email: 'workspace-disabled@example.test',
    member: { workspace: 'ws-closed', roles: ['member'], branches: { 'br-mill': ['clerk'] } },
  },
  {
    sub: 'user-member-disabled',
    email: 'member-disabled@example.test',
    member: { ...harbour(north), status: 'DISABLED' },
  },
  { sub: 'user-no-branch', email: 'no-branch@example.test', member: harbour({}) },
  { sub: 'user-system', email: 'system@example.test', kind: 'SYSTEM' },
]

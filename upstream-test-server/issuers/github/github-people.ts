// Who is at the GitHub-shaped issuer: the user names of the others, other people. Its ids are numbers.
import type { SeedUser } from '../../people/seed-users.ts'

export const githubPeople: readonly SeedUser[] = [
  {
    sub: '583231',
    username: 'testuser',
    name: 'Tess Tuser',
    email: 'tess@code.example.test',
    emailVerified: true,
    roles: ['user'],
    attributes: { company: '@octo-test', emailIsPrivate: true },
  },
  {
    sub: '583232',
    username: 'ada',
    name: 'Ada Lovelace',
    email: 'ada@code.example.test',
    emailVerified: true,
    roles: ['user', 'admin'],
    attributes: { company: '@analytical-engines' },
  },
  {
    sub: '583233',
    username: 'nora',
    name: 'nora',
    email: 'nora@code.example.test',
    emailVerified: false,
    roles: ['user'],
    attributes: {},
  },
]

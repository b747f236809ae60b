// Who is at the second issuer: the user names of the first, other people. What `sub` is there says nothing.
import type { SeedUser } from '../people/seed-users.ts'

export const secondPeople: readonly SeedUser[] = [
  {
    sub: 'b1946ac9-2492-4d23-8f3e-7a5c0e3b9f10',
    username: 'testuser',
    name: 'Terry Testuser',
    email: 'terry@second.example.test',
    emailVerified: true,
    roles: ['member'],
    attributes: { locale: 'de', department: 'Second Office', groups: ['staff'] },
  },
  {
    sub: '591785b7-94f0-4c1a-9b8e-0d6c9a2f4e77',
    username: 'ada',
    name: 'Adaeze Obi',
    email: 'adaeze@second.example.test',
    emailVerified: true,
    roles: ['member', 'manager'],
    attributes: { locale: 'en', department: 'Direction', groups: ['staff', 'leads'] },
  },
  {
    sub: '2cf24dba-5fb0-4a30-a6e8-3b2ac5b9e29e',
    username: 'nora',
    name: 'Nora Nilsson',
    email: 'nora@second.example.test',
    emailVerified: false,
    roles: [],
    attributes: { locale: 'sv' },
  },
]

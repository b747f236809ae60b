// The people who exist on first start. Each has something the others lack; some make things go wrong.

export interface SeedUser {
  sub: string
  username: string
  name: string
  email?: string
  emailVerified?: boolean
  roles: readonly string[]
  attributes: Readonly<Record<string, unknown>>
}

/** Every seeded person signs in with it. */
export const seedPassword = 'password'

export const seedUsers: readonly SeedUser[] = [
  {
    sub: 'testuser',
    username: 'testuser',
    name: 'testuser',
    email: 'testuser@example.test',
    emailVerified: true,
    roles: ['user'],
    attributes: { locale: 'en', department: 'Testing', groups: ['testers'] },
  },
  {
    sub: 'user-0002',
    username: 'ada',
    name: 'Ada Admin',
    email: 'ada@example.test',
    emailVerified: true,
    roles: ['admin', 'user'],
    attributes: { locale: 'en-GB', department: 'Operations', groups: ['operators', 'on-call'] },
  },
  {
    sub: 'user-0003',
    username: 'zoë',
    name: 'Zoë Łukasiewicz-Ørsted 王小明',
    email: 'zoe@example.test',
    emailVerified: false,
    roles: ['user'],
    attributes: { locale: 'pl', department: 'Badania i rozwój' },
  },
  {
    sub: 'user-0004',
    username: "o'brien",
    name: "Conan O'Brien",
    email: "o'brien@example.test",
    emailVerified: true,
    roles: ['user', 'auditor', 'editor'],
    attributes: { locale: 'en-IE', department: 'Legal', groups: ['auditors'] },
  },
  {
    sub: 'user-0005',
    username: 'wolfeschlegelsteinhausenbergerdorff.hubert.blaine.the-third',
    name: `Hubert Blaine ${'Wolfeschlegelsteinhausenbergerdorff '.repeat(5)}III`,
    email: 'hubert@a-very-long-department-name.a-very-long-company-name.example.test',
    emailVerified: true,
    roles: ['user', 'admin', 'auditor', 'editor', 'publisher', 'translator', 'support', 'billing'],
    attributes: {
      locale: 'de',
      groups: Array.from({ length: 20 }, (_, index) => `group-${index + 1}`),
    },
  },
  { sub: 'user-0006', username: 'nora', name: 'Nora Norole', roles: [], attributes: {} },
  {
    sub: 'user-0007',
    username: 'bobby',
    name: '<img src=x onerror=alert(1)> & "Bobby" \'Tables\'; --',
    email: 'bobby@example.test',
    emailVerified: false,
    roles: ['user', '<admin>'],
    attributes: { locale: 'fr', department: '</script><b>Sales</b>' },
  },
]

// What goes wrong for each is said in behaviour/sign-in/people-rules.ts and behaviour/faults/faults.ts.
const misbehaving = {
  deny: 'Dana Denied',
  unavailable: 'Una Vailable',
  disabled: 'Dee Sabled',
  'weak-acr': 'Will Weak',
  'bad-signature': 'Bea Forged',
  'token-down': 'Tom Down',
}

/** Login names with which something goes wrong without any switch. */
export const misbehavingUsers: readonly SeedUser[] = Object.entries(misbehaving).map(
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

/** Who is there on first start. */
export const demoUsers: readonly SeedUser[] = [...seedUsers, ...misbehavingUsers]

// Which room may import what, as values. Types may come from anywhere. A change here is a change of the design.

export interface Row {
  /** Path prefix of the room; the longest one that fits a file names its room. */
  room: string
  /** Prefixes of our own files, beside the room itself. */
  ours: readonly string[]
  /** Packages, and `node:` modules where not every one is allowed. */
  packages: readonly string[]
  /** Only these `node:` modules; absent: any but node:sqlite, which only rows that name it may import. */
  node?: readonly string[]
}

/** Pure: judges settings and needs nothing else. */
const IS_CONFIDENTIAL = 'adapter/config/client-schema/is-confidential.ts'
const CONTRACTS = ['adapter/upstream/upstream.ts', 'adapter/storage/driver.ts', 'adapter/errors.ts']
const RECORDS = ['adapter/storage/']
const EVERY_ROOM = ['adapter/', 'service/']

export const importTable: readonly Row[] = [
  { room: 'adapter/errors.ts', ours: [], packages: [], node: [] },
  { room: 'adapter/upstream/upstream.ts', ours: [], packages: [], node: [] },
  { room: 'adapter/storage/driver.ts', ours: [], packages: [], node: [] },
  { room: IS_CONFIDENTIAL, ours: [], packages: [], node: [] },
  { room: 'adapter/claims/', ours: [], packages: [], node: [] },
  {
    room: 'adapter/config/',
    ours: [IS_CONFIDENTIAL, 'adapter/errors.ts'],
    packages: ['zod', 'yaml'],
  },
  {
    room: 'adapter/upstream/',
    ours: ['adapter/errors.ts', 'service/'],
    packages: ['openid-client', 'jose', 'cockatiel'],
  },
  {
    room: 'adapter/storage/',
    ours: ['adapter/errors.ts', 'service/'],
    packages: ['redis', 'node:sqlite'],
  },
  {
    room: 'adapter/provider/',
    ours: [
      IS_CONFIDENTIAL,
      'adapter/claims/',
      ...RECORDS,
      'adapter/pages/',
      'adapter/errors.ts',
      'service/',
    ],
    packages: ['oidc-provider', 'jose'],
  },
  {
    room: 'adapter/lifecycle/',
    ours: [...CONTRACTS, 'adapter/claims/', ...RECORDS, 'adapter/audit/', 'service/'],
    packages: [],
  },
  {
    room: 'adapter/interaction/',
    ours: [
      ...CONTRACTS,
      'adapter/claims/',
      ...RECORDS,
      'adapter/pages/',
      'adapter/audit/',
      'adapter/flow/',
      'service/',
    ],
    packages: ['express'],
  },
  {
    // No way to storage: a test login with a draft can leave nothing behind.
    room: 'adapter/draft/',
    ours: [
      'adapter/upstream/upstream.ts',
      'adapter/errors.ts',
      'adapter/claims/',
      'adapter/interaction/start-login.ts',
      'adapter/interaction/form-post-answer.ts',
      'adapter/pages/',
      'service/',
    ],
    packages: ['express'],
  },
  { room: 'adapter/hooks/', ours: ['adapter/errors.ts', 'service/'], packages: [] },
  {
    room: 'adapter/logout/',
    ours: [...CONTRACTS, ...RECORDS, 'adapter/pages/', 'adapter/audit/', 'service/'],
    packages: ['jose', 'express'],
  },
  { room: 'adapter/flow/', ours: [...RECORDS, 'adapter/errors.ts', 'service/'], packages: [] },
  { room: 'adapter/audit/', ours: [...RECORDS, 'adapter/errors.ts', 'service/'], packages: [] },
  { room: 'adapter/pages/', ours: ['service/'], packages: ['hono'] },
  {
    room: 'adapter/admin/',
    ours: [
      ...RECORDS,
      'adapter/flow/',
      'adapter/audit/',
      'adapter/pages/',
      'adapter/errors.ts',
      'service/',
    ],
    packages: ['express'],
  },
  {
    room: 'adapter/reload/',
    ours: ['adapter/config/', ...RECORDS, 'adapter/errors.ts', 'service/'],
    packages: [],
  },
  { room: 'adapter/swap/', ours: [...RECORDS], packages: [] },
  { room: 'adapter/cli/', ours: EVERY_ROOM, packages: ['commander', 'yaml'] },
  // The files at the top of adapter/: main, server, cli, error-handler, secrets.
  { room: 'adapter/', ours: ['package.json', ...EVERY_ROOM], packages: ['express', 'commander'] },
  { room: 'service/', ours: [], packages: ['pino', 'pino-pretty', 'hono'] },
  {
    room: 'upstream-test-server/',
    ours: ['service/'],
    packages: ['oidc-provider', 'express', 'hono', 'zod', 'zod-openapi', 'node:sqlite'],
  },
  {
    room: 'test-app/',
    ours: ['service/'],
    packages: [
      'openid-client',
      'jose',
      'redis',
      'connect-redis',
      'express',
      'express-session',
      'hono',
      'zod',
      'graphql',
      'graphql-yoga',
      'socket.io',
      'node:sqlite',
    ],
  },
  {
    room: 'e2e/',
    ours: ['scripts/', 'upstream-test-server/control-client.ts'],
    packages: ['playwright', '@axe-core/playwright', 'yaml', 'node:sqlite'],
  },
  { room: 'bench/', ours: ['scripts/', 'adapter/claims/'], packages: ['jose'] },
  {
    room: 'scripts/',
    ours: [
      'adapter/audit/audit-events.ts',
      'adapter/audit/audit-fields.ts',
      'adapter/config/',
      'adapter/test-support/quirk-cases.ts',
      'service/secret-file.ts',
      'upstream-test-server/people/seed-users.ts',
      'upstream-test-server/issuers/profiles.ts',
    ],
    packages: ['playwright', 'yaml', 'zod', '@sparticuz/chromium'],
  },
  { room: 'vitest.config.ts', ours: [], packages: ['vitest'] },
]

/** What tests and their support may import beside what their room may: also the whole adapter, and the support of others. */
export const testRow = {
  ours: [
    'service/',
    'adapter/config/',
    'adapter/server.ts',
    'adapter/admin-server.ts',
    'adapter/test-support/',
    'adapter/upstream/test-support/',
    'scripts/redis-process.ts',
    'scripts/redis-server.ts',
    'scripts/redis-groups.ts',
    'scripts/ports.ts',
  ],
  packages: [
    'vitest',
    'fast-check',
    'oauth2-mock-server',
    'socket.io-client',
    'playwright',
    'playwright-core',
    '@axe-core/playwright',
    'jose',
    'express',
    'node:sqlite',
    'yaml',
  ],
} as const

/** Tests at the top of adapter/ put the rooms together, with the real upstream behind them. */
export const integrationTestRow = {
  ours: ['upstream-test-server/', 'adapter/'],
  packages: ['redis', 'openid-client'],
} as const

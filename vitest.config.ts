// Unit, conformance, integration and structure tests. The end-to-end tests have Playwright's runner (e2e/).
import { defineConfig } from 'vitest/config'

const isNightly = process.env['AUTH_ADAPTER_NIGHTLY'] === '1'
const rooms = [
  'adapter',
  'service',
  'scripts',
  'test-app',
  'upstream-test-server',
  'bench',
  'deploy',
]

export default defineConfig({
  test: {
    include: rooms.map((room) => `${room}/**/*.test.ts`),
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    testTimeout: isNightly ? 600_000 : 20_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    coverage: {
      provider: 'v8',
      reportsDirectory: 'coverage',
      reporter: ['text-summary', 'html'],
      include: [
        'adapter/**/*.ts',
        'service/**/*.ts',
        'test-app/**/*.ts',
        'upstream-test-server/**/*.ts',
      ],
      exclude: ['**/*.test.ts', '**/testing/**', '**/test-support/**'],
    },
  },
})

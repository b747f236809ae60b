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

/**
 * Rooms whose tests leave nothing behind in their process: what they change (the clock, an environment variable) they put back.
 * Their files share processes, and what they import is read once in each.
 */
const sharing = [
  'adapter/claims',
  'adapter/config',
  'adapter/interaction',
  'adapter/provider',
  'adapter/upstream',
  'upstream-test-server',
]
const testsOf = (folders: readonly string[]) => folders.map((folder) => `${folder}/**/*.test.ts`)

export default defineConfig({
  // As Node resolves: else a package could be loaded twice, here by one condition and by another package by the other.
  ssr: { resolve: { conditions: ['node', 'module-sync'] } },
  test: {
    projects: [
      { extends: true, test: { name: 'shared', include: testsOf(sharing), isolate: false } },
      {
        extends: true,
        test: { name: 'alone', include: testsOf(rooms), exclude: testsOf(sharing) },
      },
    ],
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

// How the end-to-end tests run. A test tagged @redis runs on both storages, @redis-only on Redis alone, every
// other one on SQLite.
import { defineConfig } from 'playwright/test'
import { findBrowser } from '../scripts/find-browser.ts'
import type { WorkerOptions } from './support/fixtures.ts'

const browser = await findBrowser()

export default defineConfig<object, WorkerOptions>({
  testDir: '.',
  testMatch: '**/*.spec.ts',
  testIgnore: '**/nightly/**',
  outputDir: '../test-results/e2e',
  workers: 2,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: '../test-results/playwright.json' }]],
  use: {
    browserName: 'chromium',
    actionTimeout: 15_000,
    navigationTimeout: 20_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: { executablePath: browser.path, args: ['--no-sandbox'] },
  },
  projects: [
    { name: 'sqlite', grepInvert: /@redis-only\b/, use: { storage: 'sqlite' } },
    { name: 'redis', grep: /@redis\b/, use: { storage: 'redis' } },
  ],
})

// How the tests of this folder run: with parts that are too large for every run.
import { defineConfig } from 'playwright/test'
import everyRun from '../playwright.config.ts'
import type { WorkerOptions } from '../support/fixtures.ts'

export default defineConfig<object, WorkerOptions>(everyRun, {
  testDir: '.',
  testIgnore: [],
  outputDir: '../../test-results/nightly',
  workers: 1,
  reporter: [['list'], ['json', { outputFile: '../../test-results/playwright.json' }]],
  projects: [{ name: 'sqlite', use: { storage: 'sqlite' } }],
})

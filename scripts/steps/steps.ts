// The steps that `npm test` and `npm run check` are made of.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { NODE } from '../managed-process.ts'
import { installLintTools, lintTool } from './lint-tools.ts'
import { ROOT, runProgram } from './run-program.ts'
import { oneOf, type Step, type Tally } from './step.ts'
import { tallyPlaywright, tallyVitest } from './tally-reports.ts'

const module = (...parts: string[]) => join(ROOT, 'node_modules', ...parts)
const CODE = ['**/*.{ts,mjs}', '!node_modules/**']

export const typeCheck: Step = {
  name: 'type check',
  run: async () => oneOf(await runProgram(NODE, [module('typescript', 'bin', 'tsc'), '-p', ROOT])),
}

export const lint: Step = {
  name: 'linter',
  async run() {
    await installLintTools()
    return oneOf(
      await lintTool('oxlint', ['-c', 'tools/lint/oxlintrc.json', '--deny-warnings', '.']),
    )
  },
}

export const formatCheck: Step = {
  name: 'formatter',
  async run() {
    await installLintTools()
    return oneOf(
      await lintTool('oxfmt', ['-c', 'tools/lint/oxfmtrc.json', '--list-different', ...CODE]),
    )
  },
}

/** Writes; not a step of a check. Resolves with the exit code. */
export async function formatAll(): Promise<number> {
  await installLintTools()
  return lintTool('oxfmt', ['-c', 'tools/lint/oxfmtrc.json', '--write', ...CODE])
}

async function countReport(
  file: string,
  run: () => Promise<number>,
  tally: (report: never, exitCode: number) => Tally,
): Promise<Tally> {
  rmSync(join(ROOT, file), { force: true })
  const exitCode = await run()
  if (existsSync(join(ROOT, file)))
    return tally(JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as never, exitCode)
  return { passed: 0, failed: 1, notes: [`no report was written; exit code ${exitCode}`] }
}

/** The tests that vitest runs: structure, unit, conformance, integration. `filters` are parts of file names. */
export function vitest(
  name: string,
  filters: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Step {
  const file = 'test-results/vitest.json'
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
  const args = [module('vitest', 'vitest.mjs'), 'run', ...reporters, ...filters]
  return { name, run: () => countReport(file, () => runProgram(NODE, args, env), tallyVitest) }
}

/** The end-to-end tests of a folder in a real browser. `filters` are parts of file names. */
export function playwright(
  name: string,
  filters: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  folder: 'e2e' | 'e2e/nightly' = 'e2e',
): Step {
  const args = [
    module('playwright', 'cli.js'),
    'test',
    '-c',
    `${folder}/playwright.config.ts`,
    ...filters,
  ]
  return {
    name,
    run: () =>
      countReport(
        'test-results/playwright.json',
        () => runProgram(NODE, args, env),
        tallyPlaywright,
      ),
  }
}

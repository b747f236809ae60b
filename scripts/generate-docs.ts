// Writes what docs/ says of the configuration from its schema, and of other identity providers from the tests. `--check` writes nothing and fails when a page is stale.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { configJsonSchema } from '../adapter/config/json-schema.ts'
import { auditPage } from './docs/audit-page.ts'
import { compatibilityPage } from './docs/compatibility-page.ts'
import { configurationPage } from './docs/configuration-page.ts'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Path below the repository → content. */
export function generatedPages(): Record<string, string> {
  return {
    'docs/auth-adapter.schema.json': `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
    'docs/configuration.md': configurationPage(),
    'docs/compatibility.md': compatibilityPage(),
    'docs/audit-events.md': auditPage(),
  }
}

/** The generated pages that are not as the schema says. */
export function stalePages(root = ROOT): string[] {
  return Object.entries(generatedPages())
    .filter(([path, content]) => contentOf(join(root, path)) !== content)
    .map(([path]) => path)
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function writePages(): void {
  for (const [path, content] of Object.entries(generatedPages())) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), content)
    process.stdout.write(`${path} is written\n`)
  }
}

function check(): void {
  const stale = stalePages()
  for (const path of stale) process.stderr.write(`${path} is stale: run npm run docs\n`)
  process.exitCode = stale.length === 0 ? 0 : 1
}

if (import.meta.main) (process.argv.includes('--check') ? check : writePages)()

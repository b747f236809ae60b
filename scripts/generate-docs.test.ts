import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { vocabulary } from '../adapter/config/setting.ts'
import { listQuirkCases } from '../adapter/test-support/quirk-cases.ts'
import { profiles } from '../upstream-test-server/issuers/profiles.ts'
import { generatedPages, stalePages } from './generate-docs.ts'

describe('generated documentation', () => {
  it('is as the schema and the tests say (npm run docs writes it)', () => {
    expect(stalePages()).toEqual([])
  })

  it('names a page that was changed by hand', () => {
    const root = mkdtempSync(join(tmpdir(), 'generate-docs-'))
    try {
      for (const [path, content] of Object.entries(generatedPages())) {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), path.endsWith('.md') ? `${content}more` : content)
      }
      expect(stalePages(root)).toEqual([
        'docs/configuration.md',
        'docs/compatibility.md',
        'docs/audit-events.md',
      ])
    } finally {
      rmSync(root, { recursive: true })
    }
  })

  it('shows every profile of the upstream test server, and each of its rows', () => {
    const page = generatedPages()['docs/compatibility.md'] ?? ''
    for (const name of Object.keys(profiles)) expect(page).toContain(`\`${name}\``)
    for (const { one } of listQuirkCases()) expect(page).toContain(one.does)
  })

  it('tells of every setting, and describes each', () => {
    const page = generatedPages()['docs/configuration.md'] ?? ''
    for (const word of vocabulary()) if (word !== '') expect(page).toContain(`\`${word}\``)
    expect(page.split('\n').filter((line) => /^\| `.*\|  \|$/.test(line))).toEqual([])
  })
})

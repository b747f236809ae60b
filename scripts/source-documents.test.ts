// docs/source-documents.md: each sentence has a test, and the test is there under that name.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

const rows = read('docs/source-documents.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what it says'))
  .map((line) => {
    const cells = line.split(' | ')
    return { says: (cells[0] ?? '').slice(2), shownBy: cells.slice(1).join(' | ') }
  })
const linksOf = (text: string) =>
  [...text.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+)\)/g)].map(([, name = '', file = '']) => ({
    name,
    file,
  }))

/** The names that a test file gives to its tests. */
const namesIn = (source: string) =>
  [...source.matchAll(/'(?:[^'\\\n]|\\.)+'|`[^`]+`|"(?:[^"\\\n]|\\.)+"/g)].map(([text]) =>
    text.slice(1, -1).replaceAll("\\'", "'"),
  )

describe('each row of docs/source-documents.md', () => {
  it('is there for all four documents', () => {
    const headings = read('docs/source-documents.md').match(/^## 00\d/gm)
    expect(headings?.toSorted()).toEqual(['## 000', '## 001', '## 002', '## 003'])
    expect(rows.length).toBeGreaterThan(60)
  })

  it.each(rows)('has a test: $says', ({ shownBy }) => {
    const links = linksOf(shownBy)
    expect(links).not.toEqual([])
    for (const { name, file } of links) {
      expect(file).toMatch(/\.(test|spec)\.ts$/)
      expect(namesIn(read(file)).filter((each) => each.includes(name))).not.toEqual([])
    }
  })
})

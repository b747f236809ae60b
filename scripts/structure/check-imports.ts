// Holds files against the import table, and against going in circles.
import { dirname, join, normalize } from 'node:path'
import { importTable, integrationTestRow, testRow, type Row } from './import-table.ts'
import { readImports } from './read-imports.ts'

/** Source text by path from the top of the checkout. */
export type Sources = ReadonlyMap<string, string>

const isTestFile = (path: string) =>
  /\.(test|conformance)\.ts$|(^|\/)(test-support|testing)\//.test(path)

export function rowOf(path: string): Row | undefined {
  const fitting = importTable.filter(({ room }) => path.startsWith(room))
  return fitting.sort((a, b) => b.room.length - a.room.length)[0]
}

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const fits = (path: string, allowed: readonly string[]) =>
  allowed.some((prefix) => path.startsWith(prefix))

function rowFor(path: string, row: Row): Row {
  if (!isTestFile(path)) return row
  const integration =
    row.room === 'adapter/' || row.room === 'adapter/cli/'
      ? integrationTestRow
      : { ours: [], packages: [] }
  return {
    room: row.room,
    ours: [...row.ours, ...testRow.ours, ...integration.ours],
    packages: [...row.packages, ...testRow.packages, ...integration.packages],
  }
}

function mayImport(specifier: string, path: string, row: Row): boolean {
  if (specifier.startsWith('.')) {
    const target = normalize(join(dirname(path), specifier))
    return rowOf(target)?.room === row.room || fits(target, row.ours)
  }
  if (row.packages.includes(packageOf(specifier))) return true
  if (!specifier.startsWith('node:')) return false
  return row.node ? row.node.includes(specifier) : specifier !== 'node:sqlite'
}

/** One sentence for each import that the table forbids. */
export function forbiddenImports(sources: Sources): string[] {
  return [...sources].flatMap(([path, source]) => {
    const row = rowOf(path)
    if (!row) return [`${path}: in no room of the import table`]
    const imports = readImports(source).filter(({ isType }) => !isType)
    const allowed = rowFor(path, row)
    const forbidden = imports.filter(({ specifier }) => !mayImport(specifier, path, allowed))
    return forbidden.map(({ specifier }) => `${path}: ${row.room} may not import ${specifier}`)
  })
}

function edgesOf(sources: Sources): Map<string, string[]> {
  const targets = (path: string, source: string) =>
    readImports(source)
      .filter(({ specifier, isType }) => !isType && specifier.startsWith('.'))
      .map(({ specifier }) => normalize(join(dirname(path), specifier)))
      .filter((target) => sources.has(target))
  return new Map([...sources].map(([path, source]) => [path, targets(path, source)]))
}

/** Each circle of imports, as the files in it. */
export function importCycles(sources: Sources): string[] {
  const edges = edgesOf(sources)
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' → '))
    if (start >= 0 || done.has(path)) return
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path])
    done.add(path)
  }
  for (const path of edges.keys()) visit(path, [])
  return cycles
}

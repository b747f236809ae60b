import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../errors.ts'
import { loadConfig } from './load-config.ts'

const CANARIES = ['kanarie-een-4711', 'kanarie-twee-0815', 'kanarie-drie-1234']
const DEMO = readFileSync(new URL('../../auth-adapter.yaml', import.meta.url), 'utf8')
  .replace('${TEST_CLIENT_SECRET:-test-secret}', CANARIES[0] as string)
  .replace('${CLIENT_SECRET:-secret}', `"${CANARIES[1]}"`)
  .replace('${SECOND_CLIENT_SECRET:-second-secret}', `\${NOT_SET:-${CANARIES[2]}}`)

const isNightly = process.env['AUTH_ADAPTER_NIGHTLY'] === '1'
const timeoutMs = isNightly ? 300_000 : 30_000
const runs = (count: number) => ({ numRuns: isNightly ? count * 20 : count })

/** What the loader says of a text that is wrong; nothing when it is right. Any other error fails the test. */
function complaint(text: string, env: Record<string, string> = {}): string {
  try {
    loadConfig({ file: '/nowhere/auth-adapter.yaml', text, env })
    return ''
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.faults.length).toBeGreaterThan(0)
    for (const { line, column, excerpt } of error.faults) {
      expect((line ?? 1) > 0 && (column ?? 1) > 0).toBe(true)
      expect(excerpt?.split('\n').length ?? 2).toBe(2)
    }
    return `${error.message}\n${error.stack}\n${JSON.stringify(error.faults)}`
  }
}

/** Edits of one place: a character put in, taken out or changed; lines joined, dropped, doubled, moved or indented. */
const edit = fc.record({
  at: fc.nat(DEMO.length),
  kind: fc.constantFrom(
    'insert',
    'delete',
    'replace',
    'join',
    'drop',
    'double',
    'swap',
    'indent',
    'outdent',
  ),
  character: fc.oneof(
    fc.constantFrom(...':{}[],"\'#&*!|>%@`-? \n\t$=~'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
})

type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

const ON_CHARACTERS: Record<string, (text: string, at: number, character: string) => string> = {
  insert: (text, at, character) => text.slice(0, at) + character + text.slice(at),
  delete: (text, at) => text.slice(0, at) + text.slice(at + 1),
  replace: (text, at, character) => text.slice(0, at) + character + text.slice(at + 1),
}

const ON_LINES: Record<string, (lines: string[], index: number) => string[]> = {
  join: (lines, index) =>
    lines.with(index, `${lines[index]} ${lines[index + 1] ?? ''}`).toSpliced(index + 1, 1),
  drop: (lines, index) => lines.toSpliced(index, 1),
  double: (lines, index) => lines.toSpliced(index, 0, lines[index] ?? ''),
  swap: (lines, index) => lines.toSpliced(index, 2, lines[index + 1] ?? '', lines[index] ?? ''),
  indent: (lines, index) => lines.with(index, `  ${lines[index]}`),
  outdent: (lines, index) => lines.with(index, (lines[index] ?? '').replace(/^ {1,2}/, '')),
}

function edited(text: string, { at, kind, character }: Edit): string {
  const position = Math.min(at, text.length)
  const onCharacters = ON_CHARACTERS[kind]
  if (onCharacters) return onCharacters(text, position, character)
  const lines = text.split('\n')
  return (ON_LINES[kind]?.(lines, text.slice(0, position).split('\n').length - 1) ?? lines).join(
    '\n',
  )
}

describe('loadConfig with arbitrary input', () => {
  it(
    'says of arbitrary text what is wrong, and throws nothing else',
    () => {
      fc.assert(
        fc.property(
          fc.oneof(
            fc.string({ unit: 'binary' }),
            fc.string({ unit: fc.constantFrom(...'a: -{}[]"\'\n&*!|>#${}') }),
          ),
          (text) => {
            expect(complaint(text)).not.toBe('')
          },
        ),
        runs(1500),
      )
    },
    timeoutMs,
  )

  it(
    'says of arbitrary values what is wrong, and throws nothing else',
    () => {
      const names = fc.constantFrom(
        'issuer',
        'listen',
        'storage',
        'upstreams',
        'clients',
        'driver',
        'redis',
        'claims',
        'constant',
        'from',
        'constructor',
        '__proto__',
        'x',
      )
      const value = fc.letrec((tie) => ({
        node: fc.oneof(
          { maxDepth: 4 },
          fc.string(),
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
          fc.array(tie('node'), { maxLength: 3 }),
          tie('map'),
        ),
        map: fc
          .array(fc.tuple(names, tie('node')), { maxLength: 5 })
          .map((entries) => Object.fromEntries(entries)),
      })).map
      fc.assert(
        fc.property(value, value, (root, storage) => {
          expect(
            complaint(JSON.stringify(root), { AUTH_ADAPTER_STORAGE: JSON.stringify(storage) }),
          ).not.toBe('')
        }),
        runs(500),
      )
    },
    timeoutMs,
  )

  it(
    'A43 secrets in errors: no edit of the demo file brings a secret into a message or an excerpt',
    () => {
      expect(complaint(DEMO)).toBe('')
      fc.assert(
        fc.property(fc.array(edit, { minLength: 1, maxLength: 3 }), (edits) => {
          const told = complaint(edits.reduce(edited, DEMO))
          for (const canary of CANARIES) expect(told).not.toContain(canary)
        }),
        runs(600),
      )
    },
    timeoutMs,
  )
})

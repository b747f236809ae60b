// Every regular expression of the adapter against texts that are made to hang one. No setting takes an expression, so there
// are no others.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { redactText } from '../service/redact-text.ts'

const ROOT = join(import.meta.dirname, '..')
/** Where an expression may stand a slash begins a literal; elsewhere it divides. */
const LITERAL =
  /(?<=(?:[=(,:!&|?{}[;]|=>|\breturn)\s*)\/(?![*/])((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g

interface Found {
  where: string
  expression: RegExp
}

function expressionsIn(path: string): Found[] {
  const source = readFileSync(join(ROOT, path), 'utf8')
  return [...source.matchAll(LITERAL)]
    .filter(([, body = '']) => !body.includes('${'))
    .map(([, body = '', flags = '']) => ({
      where: `${path}: ${body}`,
      expression: new RegExp(body, flags.replaceAll(/[gy]/g, '')),
    }))
}

const isSource = (path: string) =>
  path.endsWith('.ts') && !/\.(test|conformance)\.ts$|test-support\//.test(path)

const sources = ['adapter', 'service'].flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .map((path) => `${room}/${path}`)
    .filter(isSource),
)
const found = sources.flatMap(expressionsIn)

/** More would be cut or refused before it came to an expression; what is quadratic shows by then. */
const SIZE = 5000
const LIMIT_MS = 5
const CHARACTERS = [...'aA0 .-/%@"\\${:=,<&ä', '\t', '\n', '\u2028']
const GROUPS = 'a.|a-|- |%2|\\a|${|${a|{a}|a=|=a;| a| ,|""|"a|::|a:|a@|/.|..|<a|&a|\r\n'.split('|')
const runs = [...CHARACTERS, ...GROUPS].map((unit) => unit.repeat(SIZE / unit.length))
/** What comes first decides whether an expression gets going at all, what comes last whether it has to try again. */
const OPENINGS = ['', 'http://', 'Bearer ', '"', '/', '${', '{', '<', 'a@', '= ', '--', '# ']
const CLOSINGS = ['', '!', '\u0000', '\n!']
const corpus = runs.flatMap((run) =>
  OPENINGS.flatMap((opening) => CLOSINGS.map((closing) => opening + run + closing)),
)

/** Of CPU: that others keep the machine busy is not the fault of what runs. */
function millisecondsOf(work: () => unknown): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Nor is a pause: what was slow is tried again. */
function isSlow(work: () => unknown): boolean {
  return Array.from({ length: 10 }).every(() => millisecondsOf(work) > LIMIT_MS)
}

const slowTexts = (work: (text: string) => unknown) =>
  corpus
    .filter((text) => isSlow(() => work(text)))
    .map((text) => `${text.slice(0, 20)}…${text.slice(-3)}`)
const hasSlowText = (expression: RegExp) =>
  corpus.some((text) => isSlow(() => expression.test(text)))

describe('A33 ReDoS', () => {
  it('the control: expressions are found, and one that takes its time is seen', () => {
    expect(found.length).toBeGreaterThan(100)
    expect(hasSlowText(/a*-$/)).toBe(true)
    expect(hasSlowText(/^a*-$/)).toBe(false)
  })

  it.each(found)('$where', ({ expression }) => {
    expect(slowTexts((text) => expression.test(text))).toEqual([])
  })

  it('what removes secrets from log lines, as a whole', () => {
    expect(slowTexts(redactText)).toEqual([])
  })
})

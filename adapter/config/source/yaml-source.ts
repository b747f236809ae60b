// YAML text → a tree of values that know where they stand. The library's own messages are not used: they quote the text,
// and the text may hold secrets.
import { isAlias, isMap, isScalar, isSeq, parseDocument, visit } from 'yaml'
import type { Alias, Document, ErrorCode, Node, Pair } from 'yaml'

export interface SourceNode {
  /** Offsets of the value in the text. */
  readonly start: number
  readonly end: number
  /** Exactly one of the three is there. */
  readonly scalar?: { readonly value: string | number | boolean | null }
  readonly entries?: readonly SourceEntry[]
  readonly items?: readonly SourceNode[]
}

export interface SourceEntry {
  readonly key: string
  readonly keyStart: number
  readonly keyEnd: number
  readonly node: SourceNode
}

export interface SourceFault {
  readonly offset: number
  readonly message: string
}

export interface YamlSource {
  /** Absent when the text could not be read at all, or holds nothing. */
  readonly root: SourceNode | undefined
  readonly faults: readonly SourceFault[]
}

const MAX_TEXT_LENGTH = 256 * 1024
const MAX_NODES = 20_000
const MAX_ALIASES = 200
const MAX_DEPTH = 32
const REFUSED_NAMES = new Set(['__proto__', 'constructor', 'prototype'])

const SYNTAX_MESSAGES: Partial<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'An alias can not have an anchor or a tag',
  BAD_ALIAS: 'Expected the name of an anchor that is set above',
  BAD_DIRECTIVE: 'Unknown YAML directive',
  BAD_DQ_ESCAPE: 'Bad escape sequence in a double-quoted text',
  BAD_INDENT: 'Wrong indentation',
  BAD_SCALAR_START: 'A plain text can not begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'Unexpected ":" or wrong indentation',
  BLOCK_IN_FLOW: 'Expected a closing "}" or "]" before this line',
  MISSING_CHAR:
    'A character is missing: a closing quote, comma, bracket, brace, or the space after ":"',
  MULTILINE_IMPLICIT_KEY: 'A name must be on one line, followed by ":"',
  MULTIPLE_DOCS: 'Expected one YAML document, found another after "---"',
  NON_STRING_KEY: 'Expected a text as name',
  TAB_AS_INDENT: 'Indent with spaces; found a tab',
  TAG_RESOLVE_FAILED: 'Tags ("!...") are not used here',
  UNEXPECTED_TOKEN: 'Unexpected text here',
}

/** Reads one document. Never throws. A fault of syntax leaves `root` out; a name set twice, or not allowed, does not. */
export function readYaml(text: string): YamlSource {
  if (text.length > MAX_TEXT_LENGTH) return broken(0, 'The text is longer than 256 KiB')
  try {
    return readDocument(text)
  } catch {
    return broken(0, 'The text is not YAML, or too deeply nested')
  }
}

function readDocument(text: string): YamlSource {
  // The library's own check for names set twice takes quadratic time.
  const document = parseDocument(text, {
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    version: '1.2',
  })
  const problems = [...document.errors, ...document.warnings]
  const faults = problems.map(({ code, pos }) => syntaxFault(document, code, pos[0]))
  if (problems.length > 0) return { root: undefined, faults }
  if (document.contents === null) return broken(0, 'The configuration is empty')
  const reader = { document, nodes: 0, aliases: 0, faults }
  return { root: readNode(reader, document.contents as Node, 0), faults }
}

function syntaxFault(document: Document, code: ErrorCode, offset: number): SourceFault {
  const quoteStart = code === 'MISSING_CHAR' ? startOfQuote(document, offset) : undefined
  if (quoteStart !== undefined)
    return { offset: quoteStart, message: 'The quote that begins here is not closed' }
  return { offset, message: SYNTAX_MESSAGES[code] ?? 'The text is not valid YAML here' }
}

/** An open quote swallows all that follows: its beginning tells more than its end. */
function startOfQuote(document: Document, offset: number): number | undefined {
  let start: number | undefined
  visit(document, {
    Scalar(_, { range, type }) {
      const isQuoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE'
      if (range && isQuoted && range[0] < offset && range[1] >= offset) start = range[0]
    },
  })
  return start
}

function broken(offset: number, message: string): YamlSource {
  return { root: undefined, faults: [{ offset, message }] }
}

interface Reader {
  readonly document: Document
  readonly faults: SourceFault[]
  nodes: number
  aliases: number
}

function readNode(reader: Reader, node: Node | null, depth: number, at = 0): SourceNode {
  const [start, end] = node?.range ?? [at, at]
  reader.nodes += 1
  if (depth > MAX_DEPTH || reader.nodes > MAX_NODES)
    throw new RangeError('Too many or too deep nodes')
  if (isAlias(node)) return { ...readAlias(reader, node, depth), start, end }
  if (isMap(node)) {
    const names = new Set<string>()
    const pairs = node.items as Pair<Node, Node | null>[]
    return { start, end, entries: pairs.flatMap((pair) => readEntry(reader, pair, depth, names)) }
  }
  if (isSeq(node))
    return {
      start,
      end,
      items: node.items.map((item) => readNode(reader, item as Node, depth + 1, start)),
    }
  return { start, end, scalar: { value: scalarOf(node) } }
}

function readAlias(reader: Reader, alias: Alias, depth: number): SourceNode {
  reader.aliases += 1
  if (reader.aliases > MAX_ALIASES) throw new RangeError('Too many aliases')
  const target = alias.resolve(reader.document)
  if (!target)
    reader.faults.push({
      offset: alias.range?.[0] ?? 0,
      message: 'There is no anchor of this name above',
    })
  return readNode(reader, target ?? null, depth + 1)
}

function readEntry(
  reader: Reader,
  pair: Pair<Node, Node | null>,
  depth: number,
  names: Set<string>,
): SourceEntry[] {
  const [keyStart, keyEnd] = pair.key.range ?? [0, 0]
  const node = readNode(reader, pair.value, depth + 1, keyEnd)
  const key = isScalar(pair.key) && typeof pair.key.value === 'string' ? pair.key.value : ''
  const fault = nameFault(key, names)
  names.add(key)
  if (fault === undefined) return [{ key, keyStart, keyEnd, node }]
  reader.faults.push({ offset: keyStart, message: fault })
  return []
}

function nameFault(name: string, above: ReadonlySet<string>): string | undefined {
  if (name === '' || REFUSED_NAMES.has(name)) return 'This name is not allowed'
  return above.has(name) ? 'This name was already set above' : undefined
}

function scalarOf(node: Node | null): string | number | boolean | null {
  const value: unknown = isScalar(node) ? node.value : null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value
  return value === null ? null : String(value)
}

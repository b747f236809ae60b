// Changes one entry of a map in a YAML text and leaves every other character as it is: comments, quotes, spaces and
// `${…}` of the rest are not touched, and the comments inside the entry are kept.
import { isDeepStrictEqual } from 'node:util'
import {
  Document,
  isMap,
  isScalar,
  Lexer,
  parseDocument,
  type Pair,
  type ParsedNode,
  type YAMLMap,
} from 'yaml'

const READ = { stringKeys: true, version: '1.2' } as const
/** Nothing is folded, and what an alias stands for may lie outside of the entry. */
const WRITE = { lineWidth: 0, verifyAliasOrder: false } as const

type Path = readonly string[]
type Entry = Pair<ParsedNode, ParsedNode | null>

/**
 * `change` gets the whole document and changes, adds or takes away what is at `path`, nothing else. Gives the new text.
 * Where that can not be cut out of it (in a map in braces, say) what is around it is written anew, in the end the whole.
 */
export function spliceEntry(
  text: string,
  path: Path,
  change: (document: Document) => void,
): string {
  const wanted = changed(text, change).toString(WRITE)
  const ways = path.map((_, index) => path.slice(0, path.length - index))
  const found = ways
    .map((way) => spliceText(text, way, rendered(changed(text, change), way)))
    .find((spliced) => spliced !== undefined && isFaithful(spliced, wanted))
  return found ?? wanted
}

function changed(text: string, change: (document: Document) => void): Document {
  const document = parseDocument(text, READ)
  change(document)
  return document
}

const keyOf = ({ key }: { key: unknown }) => (isScalar(key) ? key.value : key)

function pairAt(
  document: Document,
  path: Path,
): { map: YAMLMap; pair: Entry | undefined } | undefined {
  const map = document.getIn(path.slice(0, -1))
  if (!isMap(map) || map.flow === true) return undefined
  return { map, pair: map.items.find((item) => keyOf(item) === path.at(-1)) as Entry | undefined }
}

/** The entry alone, as it is to stand in the file, without indentation; empty when it is gone. */
function rendered(document: Document, path: Path): string {
  const pair = pairAt(document, path)?.pair
  if (!pair) return ''
  // What stands before it in the file stays there.
  if (isScalar(pair.key)) Object.assign(pair.key, { commentBefore: undefined, spaceBefore: false })
  const alone = new Document({})
  ;(alone.contents as unknown as YAMLMap).items.push(pair)
  return alone.toString(WRITE).replace(/\n$/, '')
}

function spliceText(text: string, path: Path, entry: string): string | undefined {
  const place = pairAt(parseDocument(text, READ), path)
  const last = place?.map.items.at(-1) as Entry | undefined
  if (!place || !last) return undefined
  const newline = text.includes('\r\n') ? '\r\n' : '\n'
  const indentation = ' '.repeat(columnOf(text, last.key.range[0]))
  const block = entry.split('\n').map((line) => (line === '' ? line : indentation + line))
  const after = endOfLine(text, endOf(text, place.pair ?? last))
  if (!place.pair) return text.slice(0, after) + newline + block.join(newline) + text.slice(after)
  const start = place.pair.key.range[0] - indentation.length
  const rest = text.slice(after)
  return (
    text.slice(0, start) + (entry === '' ? rest.replace(/^\r?\n/, '') : block.join(newline) + rest)
  )
}

const columnOf = (text: string, offset: number) => offset - (text.lastIndexOf('\n', offset - 1) + 1)

/** Where its last value ends; white space and comments that follow belong to what comes next. */
function endOf(text: string, { key, value }: Entry): number {
  const end = (value?.range ?? key.range)[1]
  return text.slice(0, end).trimEnd().length
}

function endOfLine(text: string, offset: number): number {
  const end = /\r?\n/.exec(text.slice(offset))
  return end ? offset + end.index : text.length
}

/** It says what is wanted, and holds each comment that the library would keep. */
function isFaithful(text: string, wanted: string): boolean {
  const document = parseDocument(text, READ)
  const comments = commentsOf(text)
  return (
    document.errors.length === 0 &&
    isDeepStrictEqual(document.toJS(), parseDocument(wanted, READ).toJS()) &&
    commentsOf(wanted).every((comment) => comments.includes(comment))
  )
}

function commentsOf(text: string): string[] {
  return [...new Lexer().lex(text)].filter((token) => token.startsWith('#'))
}

// The line that a fault is about, with a caret below the place. What is not known to be harmless is blotted out: a setting
// with a mistyped name, or a text that is no YAML, may be a secret.

/** A part of the text that is known: a name or a value. */
export interface KnownRange {
  readonly start: number
  readonly end: number
  readonly isShown: boolean
}

export interface Place {
  /** Both 1-based. */
  readonly line: number
  readonly column: number
  readonly excerpt: string
}

const BLOT = '***'
const WIDTH = 110
const PUNCTUATION = /[\s{}[\],:?|>&*!'"-]/
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Of text that was understood: known ranges as they say, punctuation between them, nothing else. */
export function excerptAt(text: string, offset: number, ranges: readonly KnownRange[]): Place {
  const { start, end } = lineAround(text, offset)
  const pieces: Piece[] = []
  let position = start
  for (const range of ranges
    .filter((known) => known.end > start && known.start < end)
    .sort((a, b) => a.start - b.start)) {
    if (range.start < position) continue
    pieces.push(...between(text, position, Math.max(range.start, start)))
    const stop = Math.min(range.end, end)
    pieces.push(piece(text, Math.max(range.start, start), stop, range.isShown))
    position = stop
  }
  return drawn(text, offset, [...pieces, ...between(text, position, end)])
}

/** Of text that was not understood: punctuation, and the words that the configuration itself is made of. */
export function excerptOfUnknown(text: string, offset: number, words: ReadonlySet<string>): Place {
  const { start, end } = lineAround(text, offset)
  const pieces = [...text.slice(start, end).matchAll(/[\s{}[\],:'"]+|[^\s{}[\],:'"]+/g)].map(
    (match) => {
      const at = start + match.index
      return piece(
        text,
        at,
        at + match[0].length,
        /^[\s{}[\],:'"]/.test(match[0]) || words.has(match[0]),
      )
    },
  )
  return drawn(text, offset, pieces)
}

interface Piece {
  readonly start: number
  readonly end: number
  readonly shown: string
}

function piece(text: string, start: number, end: number, isShown: boolean): Piece {
  return { start, end, shown: isShown ? withoutUserinfo(text.slice(start, end)) : BLOT }
}

function between(text: string, start: number, end: number): Piece[] {
  const pieces: Piece[] = []
  for (let position = start; position < end; position += 1) {
    if (text[position] === '#') return [...pieces, { start: position, end, shown: '' }]
    if (!PUNCTUATION.test(text[position] ?? ''))
      return [...pieces, { start: position, end, shown: BLOT }]
    pieces.push({ start: position, end: position + 1, shown: text[position] ?? '' })
  }
  return pieces
}

/** `https://name:password@host` is shown without name and password. */
function withoutUserinfo(value: string): string {
  return value.replace(/\/\/[^/@\s]*@/g, `//${BLOT}@`)
}

function lineAround(text: string, offset: number): { start: number; end: number } {
  const start = text.lastIndexOf('\n', Math.min(offset, text.length) - 1) + 1
  const end = text.indexOf('\n', Math.min(offset, text.length))
  return { start: offset === 0 ? 0 : start, end: end === -1 ? text.length : end }
}

function drawn(text: string, offset: number, pieces: readonly Piece[]): Place {
  const { start } = lineAround(text, offset)
  let shown = ''
  let caret: number | undefined
  for (const { start: from, end, shown: part } of pieces) {
    if (caret === undefined && offset < end)
      caret = shown.length + Math.min(Math.max(offset - from, 0), part.length - 1)
    shown += part
  }
  const at = Math.max(caret ?? shown.length, 0)
  const first = Math.max(0, at - WIDTH + 20)
  const clipped = shown
    .slice(first, first + WIDTH)
    .replace(CONTROL, ' ')
    .trimEnd()
  return {
    line: text.slice(0, start).split('\n').length,
    column: Math.min(offset, text.length) - start + 1,
    excerpt: `${clipped}\n${' '.repeat(at - first)}^`,
  }
}

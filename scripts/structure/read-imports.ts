// Reads the import lines of a TypeScript file. Not a parser: our code has one style, and the formatter holds it.

export interface Import {
  /** As written: `./x.ts`, `node:fs`, `hono/html`. */
  specifier: string
  /** Nothing of it is left at run time. */
  isType: boolean
}

const STATIC = /^(?:import|export)\s+(type\s+)?([^'"`;=]*?)\s*from\s*['"]([^'"]+)['"]/gm
const BARE = /^import\s+['"]([^'"]+)['"]/gm
const DYNAMIC = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)(\s*\.\s*[A-Z])?/g

/** `{ type A, type B }` leaves an import for its effects, which we do not write; verbatimModuleSyntax keeps it. */
const ofStatic = ([, type, , specifier = '']: RegExpMatchArray): Import => ({
  specifier,
  isType: type !== undefined,
})

export function readImports(source: string): Import[] {
  return [
    ...[...source.matchAll(STATIC)].map(ofStatic),
    ...[...source.matchAll(BARE)].map(([, specifier = '']) => ({ specifier, isType: false })),
    ...[...source.matchAll(DYNAMIC)].map(([, isTypeof, specifier = '', member]) => ({
      specifier,
      isType: isTypeof !== undefined || member !== undefined,
    })),
  ]
}

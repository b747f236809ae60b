// Rules about single files: how they are named and opened, and what may not stand in them.
import { basename } from 'node:path'

const JUNK_DRAWER = /^(index|utils?|helpers?|types|common|misc)\./
const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*\.(ts|mjs)$/
const OPENS_WITH_COMMENT = /^(?:#!.*\n)?(?:\/\/ |\/\*\*)/
const READS_ENVIRONMENT = /\bprocess\s*\.\s*env\b/
/** These start processes or are one; the rest of the adapter is given its settings. */
const MAY_READ_ENVIRONMENT =
  /^adapter\/(main\.ts|cli\.ts|cli\/)|\.(test|conformance)\.ts$|\/(testing|test-support)\//

interface FileRule {
  /** Said after the path when it is broken. */
  says: string
  isBroken(path: string, source: string): boolean
}

const isCode = (path: string) => /\.(ts|mjs)$/.test(path)
const isTest = (path: string) => /\.(test|spec)\.ts$/.test(path)
/** Assembled, so that the rules do not find themselves. */
const word = (...parts: readonly string[]) => parts.join('')
const SKIPPED = new RegExp(
  word('\\b(?:describe|it|test|suite)\\.', '(?:skip|only|todo|fixme|fails|skipIf|runIf)\\b'),
)
const UNFINISHED = new RegExp(word('\\b(?:TO', 'DO|FIX', 'ME|XX', 'X)\\b'))
const LOCAL_PATH = new RegExp(
  word('(?<![\\w.-])/(?:wo', 'rk|ro', 'ot|ho', 'me/[a-z]|Use', 'rs/[A-Za-z])[\\w./-]*'),
)
const OTHER_REGISTRY = /\bresolved"?:?\s+"?https?:\/\/(?!registry\.npmjs\.org\/)/
const INTERNAL_HOST = new RegExp(
  word('\\b(?:arti', 'factory|nex', 'us-repository|ver', 'daccio)\\b'),
  'i',
)

const RULES: readonly FileRule[] = [
  {
    says: 'is not named in kebab-case',
    isBroken: (path) => isCode(path) && !KEBAB.test(basename(path)),
  },
  {
    says: 'has a name that says nothing: name it for what it exports',
    isBroken: (path) => JUNK_DRAWER.test(basename(path)) && isCode(path),
  },
  {
    says: 'does not open with a comment that says what it owns',
    isBroken: (path, source) =>
      /^adapter\/.*\.ts$/.test(path) && !isTest(path) && !OPENS_WITH_COMMENT.test(source),
  },
  {
    says: 'reads process.env: only main.ts and the commands do, and pass on what they read',
    isBroken: (path, source) =>
      path.startsWith('adapter/') &&
      !MAY_READ_ENVIRONMENT.test(path) &&
      READS_ENVIRONMENT.test(source),
  },
  {
    says: 'has a test that is skipped, alone or to be written',
    isBroken: (path, source) => isCode(path) && SKIPPED.test(source),
  },
  {
    says: 'says that it is not finished',
    isBroken: (path, source) => isCode(path) && UNFINISHED.test(source),
  },
  {
    says: 'names a folder of somebody’s machine',
    isBroken: (_path, source) => LOCAL_PATH.test(source),
  },
  {
    says: 'names a package registry of somebody’s own',
    isBroken: (_path, source) => OTHER_REGISTRY.test(source) || INTERNAL_HOST.test(source),
  },
]

/** One sentence for each rule that a file breaks. */
export function brokenFileRules(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([path, source]) =>
    RULES.filter((rule) => rule.isBroken(path, source)).map(({ says }) => `${path} ${says}`),
  )
}

// How an issuer differs from the one configured, in words: the same in the log and in the doctor's report.

interface Difference {
  applies(expected: string, found: string): boolean
  says: string
}

const unschemed = (url: string) => url.replace(/^https?:/, '')

const DIFFERENCES: readonly Difference[] = [
  {
    applies: (_expected, found) => /\{[^{}]*\}/.test(found),
    says: 'the one found is a placeholder for a tenant',
  },
  {
    applies: (expected, found) => expected === `${found}/`,
    says: 'the configured one has a trailing slash too many',
  },
  {
    applies: (expected, found) => `${expected}/` === found,
    says: 'the configured one lacks the trailing slash',
  },
  {
    applies: (expected, found) =>
      /^https?:/.test(found) && unschemed(expected) === unschemed(found),
    says: 'they differ in http and https',
  },
  {
    applies: (expected, found) => expected.toLowerCase() === found.toLowerCase(),
    says: 'they differ in upper and lower case',
  },
]

/** Undefined where it is another issuer altogether. */
export function issuerDifference(expected: string, found: unknown): string | undefined {
  if (typeof found !== 'string') return undefined
  return DIFFERENCES.find(({ applies }) => applies(expected, found))?.says
}

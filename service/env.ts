// Settings from the environment: one table gives the types, the defaults, all faults at once, and the text of --help.

interface Kinds {
  string: string
  /** 0 to 65535; 0 takes a free port. */
  port: number
  /** http(s), as written. */
  url: string
  /** Comma separated. */
  list: string[]
  /** Comma separated http(s) URLs. */
  urls: string[]
}

/** Text of another setting of the table, or of any variable, '' where it is not set. */
type TextOf = (name: string) => string

interface Setting<Kind extends keyof Kinds = keyof Kinds> {
  readonly kind: Kind
  readonly help: string
  /** As it would be written in the environment. */
  readonly default?: string | ((textOf: TextOf) => string)
  /** Without a value and a default the setting is undefined instead of a fault. */
  readonly optional?: true
  /** The default is not shown by --help. */
  readonly secret?: true
}

export type EnvTable = Readonly<Record<string, Setting>>

export type EnvValues<Table extends EnvTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { optional: true }
    ? Kinds[Table[Name]['kind']] | undefined
    : Kinds[Table[Name]['kind']]
}

/** One or more variables can not be used; `faults` has one sentence for each. Exit code 2. */
export class EnvError extends Error {
  override readonly name = 'EnvError'
  readonly code = 'env_invalid'
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.faults = faults
  }
}

const isHttpUrl = (text: string) =>
  URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && !/[@#\s]/.test(text)
const items = (text: string) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)

// undefined: not acceptable
const PARSERS: {
  [Kind in keyof Kinds]: { expected: string; parse: (text: string) => Kinds[Kind] | undefined }
} = {
  string: { expected: 'text', parse: (text) => text },
  port: {
    expected: 'a port from 0 to 65535',
    parse: (text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined),
  },
  url: { expected: 'an http or https URL', parse: (text) => (isHttpUrl(text) ? text : undefined) },
  list: { expected: 'a comma separated list', parse: items },
  urls: {
    expected: 'http or https URLs, separated by commas',
    parse: (text) => (items(text).every(isHttpUrl) ? items(text) : undefined),
  },
}

type Env = Readonly<Record<string, string | undefined>>

function textReader(env: Env, table: EnvTable): TextOf {
  return function textOf(name) {
    const fallback = table[name]?.default
    return env[name] || (typeof fallback === 'function' ? fallback(textOf) : (fallback ?? ''))
  }
}

/** Reads the settings of `table`. Empty variables count as not set. @throws {EnvError} with every fault found. */
export function readEnv<const Table extends EnvTable>(env: Env, table: Table): EnvValues<Table> {
  const faults: string[] = []
  const textOf = textReader(env, table)
  const read = ([name, setting]: [string, Setting]) => {
    const text = textOf(name)
    const { expected, parse } = PARSERS[setting.kind]
    if (text === '' && setting.optional) return [name, undefined]
    const value = text === '' ? undefined : parse(text)
    if (value === undefined)
      faults.push(text === '' ? `${name} is not set` : `${name}: expected ${expected}`)
    return [name, value]
  }
  const values = Object.fromEntries(Object.entries(table).map(read))
  if (faults.length > 0) throw new EnvError(faults)
  return values as EnvValues<Table>
}

/** What --help prints of the table, with the defaults that hold in `env`. */
export function envHelp(usage: string, table: EnvTable, env: Env = {}): string {
  const defaults = {
    ...env,
    ...Object.fromEntries(Object.keys(table).map((name) => [name, undefined])),
  }
  const width = Math.max(...Object.keys(table).map((name) => name.length))
  const lines = Object.entries(table).map(([name, setting]) => {
    const fallback = setting.secret ? '' : textReader(defaults, table)(name)
    return `  ${name.padEnd(width)}  ${setting.help}${fallback ? ` (default ${fallback})` : ''}`
  })
  return [`Usage: ${usage}`, '', 'Environment:', ...lines, ''].join('\n')
}

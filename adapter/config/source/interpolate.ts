// `${NAME}`, `${NAME:-default}` and `${file:path}` inside a text. `$${` stands for `${`.

export interface InterpolationSources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The content of a file named in the configuration; throws when it can not be read. */
  readonly readFile: (path: string) => string
}

export interface Interpolated {
  readonly text: string
  /** Whether there was anything to replace. */
  readonly isInterpolated: boolean
  /** Whether a variable that is set, or a file, gave a part of it. */
  readonly isFromOutside: boolean
  readonly faults: readonly string[]
}

const EXPRESSION = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([\s\S]*))?$/

/** A variable that is set to nothing counts as not set where there is a default, as in a shell. */
export function interpolate(text: string, sources: InterpolationSources): Interpolated {
  const faults: string[] = []
  let result = ''
  let position = 0
  let isFromOutside = false
  for (let start = text.indexOf('${'); start !== -1; start = text.indexOf('${', position)) {
    if (start > position && text[start - 1] === '$') {
      result += `${text.slice(position, start - 1)}\${`
      position = start + 2
      continue
    }
    const end = text.indexOf('}', start)
    const found =
      end === -1
        ? { fault: 'Expected "}" after "${"' }
        : lookUp(text.slice(start + 2, end), sources)
    result += text.slice(position, start) + (found.text ?? '')
    if (found.fault !== undefined) faults.push(found.fault)
    isFromOutside ||= found.isFromOutside === true
    position = end === -1 ? text.length : end + 1
  }
  return {
    text: result + text.slice(position),
    isInterpolated: position > 0,
    isFromOutside,
    faults,
  }
}

interface Found {
  text?: string
  fault?: string
  isFromOutside?: boolean
}

function lookUp(expression: string, { env, readFile }: InterpolationSources): Found {
  if (expression.startsWith('file:')) return contentOf(expression.slice(5), readFile)
  const [, name, defaultText] = EXPRESSION.exec(expression) ?? []
  if (name === undefined)
    return {
      fault: 'Expected ${NAME}, ${NAME:-default} or ${file:path}; write "$${" for a literal "${"',
    }
  const value = Object.hasOwn(env, name) ? env[name] : undefined
  if (value !== undefined && (value !== '' || defaultText === undefined))
    return { text: value, isFromOutside: true }
  if (defaultText !== undefined) return { text: defaultText }
  return {
    fault: `Environment variable ${name} is not set, and there is no default (\${${name}:-...})`,
  }
}

function contentOf(path: string, readFile: (path: string) => string): Found {
  try {
    return { text: readFile(path).replace(/\r?\n$/, ''), isFromOutside: true }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'not readable'
    return { fault: `Cannot read the file named in \${file:...} (${code})` }
  }
}

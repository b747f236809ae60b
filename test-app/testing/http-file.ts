// Runs an .http file, in the dialect of REST Client for Visual Studio Code as far as docs/api uses it: file variables, named
// requests, answers of earlier requests, a cookie jar, and "# expect <status> [<code>]" above a request.

export interface HttpRequest {
  title: string
  /** For later requests to refer to its answer. */
  name: string | undefined
  hasCookieJar: boolean
  expected: { status: number; code: string | undefined }
  method: string
  url: string
  headers: Readonly<Record<string, string>>
  body: string | undefined
}

export interface HttpFile {
  variables: Readonly<Record<string, string>>
  requests: readonly HttpRequest[]
}

export interface HttpAnswer {
  status: number
  body: unknown
}

const separator = /^###(.*)$/m
const variable = /^@(\w+)\s*=\s*(.*)$/gm
const isComment = (line: string) => /^(?:#|\/\/)/.test(line)

const matchIn = (text: string, pattern: RegExp) => pattern.exec(text)?.[1]?.trim()

function requestFrom(title: string, block: string): HttpRequest {
  const comments = block.split('\n').filter(isComment).join('\n')
  const [head = '', ...rest] = block
    .split('\n')
    .filter((line) => !isComment(line))
    .join('\n')
    .trim()
    .split('\n\n')
  const [first = '', ...lines] = head.split('\n')
  const [method = '', url = ''] = first.split(' ')
  const expected = matchIn(comments, /^# expect (.*)$/m)?.split(' ') ?? []
  const body = rest.join('\n\n').trim()
  return {
    title: title.trim(),
    name: matchIn(comments, /^# @name (\w+)$/m),
    hasCookieJar: !/^# @no-cookie-jar$/m.test(comments),
    expected: { status: Number(expected[0]), code: expected[1] },
    method,
    url,
    headers: Object.fromEntries(
      lines.map((line) => line.split(/:\s*(.*)/s).slice(0, 2) as [string, string]),
    ),
    body: body === '' ? undefined : body,
  }
}

export function readHttpFile(text: string): HttpFile {
  const [start = '', ...blocks] = text.split(separator)
  const variables = [...start.matchAll(variable)].map(([, name = '', value = '']) => [name, value])
  const requests = blocks.flatMap((title, index) =>
    index % 2 === 0 ? [requestFrom(title, blocks[index + 1] ?? '')] : [],
  )
  return { variables: Object.fromEntries(variables) as Record<string, string>, requests }
}

function memberAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], value)
}

type Answers = ReadonlyMap<string, HttpAnswer>

/** @throws where a reference leads nowhere */
function filledIn(text: string, variables: HttpFile['variables'], answers: Answers): string {
  return text.replaceAll(/\{\{([^}]+)\}\}/g, (_all, reference: string) => {
    const [, name = '', path = ''] = /^(\w+)\.response\.body\.\$\.(.+)$/.exec(reference) ?? []
    const value = name === '' ? variables[reference] : memberAt(answers.get(name)?.body, path)
    if (typeof value !== 'string') throw new Error(`{{${reference}}} leads nowhere`)
    return value
  })
}

/** "Basic user:password" is written out by the editors. */
function encoded([name, value]: [string, string]): [string, string] {
  const pair = /^Basic (\S+:\S+)$/.exec(value)?.[1]
  return [name, pair === undefined ? value : `Basic ${Buffer.from(pair).toString('base64')}`]
}

/** A form may be written over several lines, each further one with its ampersand first. */
const bodyOf = ({ headers, body }: HttpRequest) =>
  headers['Content-Type'] === 'application/x-www-form-urlencoded'
    ? body?.replaceAll('\n&', '&')
    : body

async function answerOf(response: Response): Promise<HttpAnswer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, body: isJson ? JSON.parse(text) : text }
}

export type Run = (request: HttpRequest) => Promise<HttpAnswer>

/** One run through a file: `change` has other values for some of its variables. */
export function createHttpRun(file: HttpFile, change: HttpFile['variables'] = {}): Run {
  const variables = { ...file.variables, ...change }
  const answers = new Map<string, HttpAnswer>()
  const jar = new Map<string, string>()
  return async (request) => {
    const fill = (text: string) => filledIn(text, variables, answers)
    const headers = Object.entries(request.headers).map(([name, value]) =>
      encoded([name, fill(value)]),
    )
    const cookie = [...jar].map((pair) => pair.join('=')).join('; ')
    if (request.hasCookieJar && cookie !== '') headers.push(['Cookie', cookie])
    const body = bodyOf(request)
    const response = await fetch(fill(request.url), {
      method: request.method,
      headers: [...headers, ['Connection', 'close']],
      ...(body !== undefined && { body: fill(body) }),
    })
    if (request.hasCookieJar)
      for (const header of response.headers.getSetCookie()) {
        const [name = '', value = ''] = (header.split(';')[0] ?? '').split(/=(.*)/s)
        if (value === '') jar.delete(name)
        else jar.set(name, value)
      }
    const answer = await answerOf(response)
    if (request.name !== undefined) answers.set(request.name, answer)
    return answer
  }
}

import express from 'express'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../../service/log.ts'
import type { Listening } from '../../../service/listen.ts'
import { serve } from '../../../service/serve-for-test.ts'
import { judgeRequest, readQuery } from './accept-request.ts'
import { createGraphqlHandler } from './graphql-handler.ts'
import type { Resolvers } from '../resolvers.ts'

const LOGIN_OF = 'mutation ($email: String!) { login(email: $email, password: "") { __typename } }'
const ORIGIN = 'https://app.example'
const LOGIN = 'login(email: "a@b.example", password: "canary-password") { ... on Result { code } }'

let attempts = 0
let failure: Error | undefined
const log = { text: '' }
const tried = () => {
  attempts += 1
  if (failure) return Promise.reject(failure)
  return Promise.resolve({
    __typename: 'Refusal' as const,
    code: 'NO',
    message: '',
    fields: [],
    requestId: undefined,
  })
}
/** Counts what gets through; what it does then is not looked at here. */
const resolvers: Resolvers = {
  Query: {
    me: () => ({
      subject: 'testuser',
      name: undefined,
      username: undefined,
      authorities: [],
      scopes: [],
      clients: [],
      via: 'COOKIE',
      expiresAt: '',
    }),
    clients: () => ['client'],
    branchChoice: () => Promise.resolve(null),
  },
  Mutation: { login: tried, selectBranch: tried, refresh: tried, logout: tried },
}

function startApp(isOpenForTools: boolean): Promise<Listening> {
  const app = express()
  const to = createLog({
    level: 'trace',
    pretty: false,
    destination: { write: (line) => void (log.text += line) },
  })
  app.all(
    '/graphql',
    judgeRequest(ORIGIN),
    ...readQuery,
    createGraphqlHandler({ resolvers, log: to, isOpenForTools }),
  )
  return serve(app, { graceMs: 0 })
}

let production: Listening
let development: Listening
beforeAll(async () => {
  production = await startApp(false)
  development = await startApp(true)
})
afterAll(() => Promise.all([production.close(), development.close()]))
beforeEach(() => {
  attempts = 0
  failure = undefined
  log.text = ''
})

interface Answer {
  readonly status: number
  readonly text: string
  readonly json: {
    readonly data?: Record<string, unknown> | null
    readonly errors?: readonly {
      readonly message: string
      readonly extensions: { readonly code: string }
    }[]
  }
}

async function send(init: RequestInit, { url }: Listening = production): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, { method: 'POST', ...init })
  const text = await response.text()
  return { status: response.status, text, json: text.startsWith('{') ? JSON.parse(text) : {} }
}

const JSON_TYPE = { 'content-type': 'application/json' }
const ask = (query: string, at = production, more: object = {}): Promise<Answer> =>
  send({ headers: JSON_TYPE, body: JSON.stringify({ query, ...more }) }, at)

const codeOf = ({ json }: Answer) => json.errors?.[0]?.extensions.code

describe('what is refused', () => {
  const body = JSON.stringify({ query: '{ clients }' })
  it.each<[code: string, status: number, init: RequestInit]>([
    ['METHOD_NOT_ALLOWED', 405, { method: 'GET' }],
    ['METHOD_NOT_ALLOWED', 405, { method: 'PUT', headers: JSON_TYPE, body }],
    ['METHOD_NOT_ALLOWED', 405, { method: 'OPTIONS' }],
    ['UNSUPPORTED_MEDIA_TYPE', 415, { headers: { 'content-type': 'text/plain' }, body }],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { headers: { 'content-type': 'application/graphql' }, body: '{ clients }' },
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { headers: { 'content-type': 'application/graphql+json' }, body },
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { body: new URLSearchParams({ query: `mutation { ${LOGIN} }` }) },
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body },
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      415,
      { headers: { 'content-type': 'application/json; charset=koi8-r' }, body },
    ],
    ['MALFORMED_JSON', 400, { headers: JSON_TYPE, body: '{"query": canary-password' }],
    ['MALFORMED_JSON', 400, { headers: JSON_TYPE, body: '"{ clients }"' }],
    ['BAD_REQUEST', 400, { headers: JSON_TYPE, body: `[${body},${body}]` }],
    ['BAD_REQUEST', 400, { headers: JSON_TYPE, body: '{}' }],
    ['BAD_REQUEST', 400, { headers: JSON_TYPE, body: '' }],
    ['BAD_REQUEST', 400, { headers: JSON_TYPE, body: '{"query": {"a": 1}}' }],
    ['BAD_REQUEST', 400, { headers: JSON_TYPE, body: '{"query": "{ clients }", "doc_id": "1"}' }],
    [
      'BAD_REQUEST',
      400,
      { headers: JSON_TYPE, body: '{"query": "{ clients }", "variables": "x"}' },
    ],
    ['CROSS_ORIGIN', 403, { headers: { ...JSON_TYPE, 'sec-fetch-site': 'cross-site' }, body }],
    ['CROSS_ORIGIN', 403, { headers: { ...JSON_TYPE, 'sec-fetch-site': 'same-site' }, body }],
    ['CROSS_ORIGIN', 403, { headers: { ...JSON_TYPE, origin: 'https://evil.example' }, body }],
    ...([
      ['GRAPHQL_PARSE_FAILED', { query: '{ clients' }],
      ['OPERATION_RESOLUTION_FAILURE', { query: 'query A { clients } query B { clients }' }],
      ['OPERATION_RESOLUTION_FAILURE', { query: 'query A { clients }', operationName: 'C' }],
      [
        'GRAPHQL_VALIDATION_FAILED',
        { query: 'mutation { login(email: "a", password: 1) { __typename } }' },
      ],
      [
        'GRAPHQL_VALIDATION_FAILED',
        { query: 'mutation { login(email: "", password: "", admin: 1) { __typename } }' },
      ],
      ['GRAPHQL_VALIDATION_FAILED', { query: 'subscription { me { name } }' }],
      ['BAD_USER_INPUT', { query: LOGIN_OF, variables: { email: 5 } }],
      ['BAD_USER_INPUT', { query: LOGIN_OF, variables: { email: { a: 'b' } } }],
      ['BAD_USER_INPUT', { query: LOGIN_OF }],
    ].map(([code, asked]) => [code, 400, { headers: JSON_TYPE, body: JSON.stringify(asked) }]) as [
      string,
      number,
      RequestInit,
    ][]),
  ])('%s, %i: %j', async (code, status, init) => {
    const answer = await send(init)
    expect([answer.status, codeOf(answer)]).toEqual([status, code])
    expect(answer.json).not.toHaveProperty('data')
    expect(answer.text + log.text).not.toContain('canary')
    expect(attempts).toBe(0)
  })

  it('A30 a body of 1 MB is refused by its length, and by what arrives', async () => {
    const body = JSON.stringify({ query: `{ clients } #${'x'.repeat(1024 * 1024)}` })
    expect(codeOf(await send({ headers: JSON_TYPE, body }))).toBe('PAYLOAD_TOO_LARGE')
    const stream = new Blob([body]).stream()
    const streamed = await send({ headers: JSON_TYPE, body: stream, duplex: 'half' } as RequestInit)
    expect([streamed.status, codeOf(streamed)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  it('A30 a tower of brackets is answered, not a reason to fall over', async () => {
    const tower = '['.repeat(15_000) + ']'.repeat(15_000)
    const query = 'query ($a: String!) { clients @include(if: $a) }'
    const answer = await send({
      headers: JSON_TYPE,
      body: `{"query":${JSON.stringify(query)},"variables":{"a":${tower}}}`,
    })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
    const email = await send({
      headers: JSON_TYPE,
      body: `{"query":"mutation ($e: String!) { login(email: $e, password: \\"\\") { ... on Result { code } } }","variables":{"e":${tower}}}`,
    })
    expect([email.status, codeOf(email)]).toEqual([400, 'BAD_USER_INPUT'])
    expect(attempts).toBe(0)
  })
})

describe('A30 GraphQL bombs', () => {
  const doubling = (length: number) => {
    const steps = Array.from(
      { length },
      (_, at) => `fragment F${at} on Me { ...F${at + 1} ...F${at + 1} }`,
    )
    return [...steps, `fragment F${length} on Me { name }`].join(' ')
  }

  it.each<[what: string, query: string]>([
    ['depth', `{ me ${'{ me '.repeat(40)}{ name }${' }'.repeat(40)} }`],
    ['aliases', `{ ${Array.from({ length: 20 }, (_, at) => `a${at}: clients`).join(' ')} }`],
    ['fields', `{ me { ${'name '.repeat(201)} } }`],
    ['fragments that double at each step', `{ me { ...F0 } } ${doubling(12)}`],
    ['a fragment that spreads itself', '{ me { ...F } } fragment F on Me { name ...F }'],
    [
      'two that spread each other',
      '{ me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }',
    ],
    ['directives', `{ clients ${'@skip(if: false) '.repeat(20)} }`],
    ['tokens', `{ ${'clients '.repeat(1001)} }`],
    ['tokens of arguments', `{ clients(a: [${'1 '.repeat(1001)}]) }`],
    ['tokens of braces', '{a'.repeat(5000)],
  ])('%s', async (_what, query) => {
    for (const at of [production, development]) {
      const startedAt = performance.now()
      const answer = await ask(query, at)
      expect([answer.status, codeOf(answer)]).toEqual([400, 'QUERY_TOO_COMPLEX'])
      expect(answer.json).not.toHaveProperty('data')
      expect(performance.now() - startedAt).toBeLessThan(5000)
    }
  })

  it.each<[what: string, query: string]>([
    ['aliases', `mutation { a: ${LOGIN} b: ${LOGIN} }`],
    ['two fields', `mutation { ${LOGIN} logout { ... on Result { code } } }`],
    ['a fragment', `mutation { ...F ${LOGIN} } fragment F on Mutation { b: ${LOGIN} }`],
    [
      'a fragment twice',
      `mutation { ...F ... on Mutation { ...F } } fragment F on Mutation { ${LOGIN} }`,
    ],
    ['another operation', `{ clients } mutation B { a: ${LOGIN} b: ${LOGIN} }`],
  ])('one attempt at a password for one request: %s', async (_what, query) => {
    for (const at of [production, development]) {
      const answer = await ask(query, at, query.includes(' B ') ? { operationName: 'B' } : {})
      expect([answer.status, codeOf(answer)]).toEqual([400, 'QUERY_TOO_COMPLEX'])
    }
    expect(attempts).toBe(0)
  })

  it('lets pass what pages ask for, and one attempt', async () => {
    const answer = await ask(`mutation Sign { ${LOGIN} }`)
    expect(answer).toMatchObject({ status: 200, json: { data: { login: { code: 'NO' } } } })
    expect(attempts).toBe(1)
    expect((await ask('{ a: clients b: clients me { name via } }')).status).toBe(200)
  })
})

it('A30 whatever is sent, it is answered: nothing falls over, and one attempt is the most', async () => {
  const pieces = [
    'mutation',
    'query',
    'fragment F on Query',
    'fragment M on Mutation',
    '...F',
    '...M',
    '... on Result',
    '{',
    '}',
    '(',
    ')',
    ':',
    '$a',
    '!',
    '@skip(if: true)',
    '@include(if: $a)',
    LOGIN,
    'logout { __typename }',
    'login(email: $a, password: $a) { __typename }',
    '($a: String!)',
    'me { name }',
    'clients',
    'a: clients',
    '__typename',
    '"canary-password"',
    'null',
    '[1]',
    '{a: 1}',
    '\u0000',
    '\ud800',
    '#',
  ]
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.jsonValue({ maxDepth: 4 }),
  )
  const query = fc
    .array(fc.constantFrom(...pieces), { maxLength: 30 })
    .map((parts) => parts.join(' '))
  const inMutation = query.map((text) => `mutation ($a: String!) { ${text} }`)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(query, inMutation),
      value,
      fc.constantFrom(production, development),
      async (text, a, at) => {
        attempts = 0
        const answer = await ask(text, at, { variables: { a } })
        expect([200, 400]).toContain(answer.status)
        expect(answer.status === 200 ? 'said' : codeOf(answer)).toMatch(/^(said|[A-Z_]+)$/)
        expect(attempts).toBeLessThanOrEqual(1)
        expect(log.text).not.toMatch(/canary|graphql.failed/)
      },
    ),
    { numRuns: 150 },
  )
})

describe('what is not told', () => {
  const INTROSPECTIONS = [
    '{ __schema { types { name } } }',
    '{ __type(name: "Me") { name } }',
    '{ ...F } fragment F on Query { s: __schema { queryType { name } } }',
  ]
  it.each(INTROSPECTIONS)('the schema, in production: %s', async (query) => {
    const answer = await ask(query)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
    expect((await ask(query, development)).status).toBe(200)
  })

  it.each([
    '{ clientss }',
    '{ me { nam } }',
    'mutation { logn { code } }',
    '{ me { ... on Mee { name } } }',
    'mutation { login(emal: "", password: "") { ... on Result { code } } }',
  ])('what was meant, in production: %s', async (query) => {
    const answer = await ask(query)
    expect([answer.status, codeOf(answer)]).toEqual([400, 'GRAPHQL_VALIDATION_FAILED'])
    expect(answer.text).not.toMatch(/did you mean/i)
    expect((await ask(query, development)).text).toMatch(/did you mean/i)
  })

  it('the name of a type passes: pages tell answers apart by it', async () => {
    const answer = await ask(`mutation { login(email: "", password: "") { __typename } }`)
    expect(answer.json.data).toEqual({ login: { __typename: 'Refusal' } })
  })

  it.each([production, development])('what failed here', async () => {
    failure = new Error('canary at /secret/path', { cause: new Error('canary') })
    for (const at of [production, development]) {
      const answer = await ask(`mutation { ${LOGIN} }`, at)
      expect([answer.status, codeOf(answer)]).toEqual([500, 'INTERNAL_ERROR'])
      expect(answer.text).not.toMatch(/canary|secret|node_modules|stack/)
      expect(answer.json.errors).toHaveLength(1)
    }
    expect(log.text.match(/"event":"graphql.failed"/g)).toHaveLength(2)
    expect(log.text).not.toContain('canary-password')
  })

  it('a health check, a page to try queries, a landing page', async () => {
    for (const path of ['/graphql?/health', '/graphql?x=/health', '/graphql'])
      for (const accept of ['text/html', '*/*']) {
        const response = await fetch(production.url + path, { headers: { accept } })
        expect(response.status).toBe(405)
      }
    const posted = await fetch(`${production.url}/graphql?/health`, {
      method: 'POST',
      headers: JSON_TYPE,
      body: '{"query":"{ clients }"}',
    })
    expect(await posted.json()).toEqual({ data: { clients: ['client'] } })
  })

  it.each([
    ['text/event-stream', 'application/json'],
    ['multipart/mixed; deferSpec=20220824, */*', 'application/json'],
    ['image/png', 'application/json'],
    ['*/*', 'application/json'],
    ['application/graphql-response+json', 'application/graphql-response+json'],
    [
      'application/graphql-response+json, application/json;q=0.9',
      'application/graphql-response+json',
    ],
  ])('for Accept %s the answer is %s, and ends', async (accept, type) => {
    for (const [query, status] of [
      ['{ clients }', 200],
      ['{ clientz }', 400],
    ] as const) {
      const response = await fetch(`${production.url}/graphql`, {
        method: 'POST',
        headers: { ...JSON_TYPE, accept },
        body: JSON.stringify({ query }),
        signal: AbortSignal.timeout(10_000),
      })
      expect(response.status).toBe(status)
      expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
      expect(await response.json()).toHaveProperty(status === 200 ? 'data' : 'errors')
    }
  })

  it('another origin gets no permission to read', async () => {
    const response = await fetch(`${production.url}/graphql`, {
      method: 'POST',
      headers: { ...JSON_TYPE, origin: ORIGIN },
      body: '{"query":"{ clients }"}',
    })
    expect(response.status).toBe(200)
    expect(
      [...response.headers.keys()].filter((name) => name.startsWith('access-control')),
    ).toEqual([])
  })

  it('nothing that is kept: queries with passwords in them are not cached', async () => {
    const query = `mutation { ${LOGIN} }`
    await ask(query)
    await ask(query)
    expect(attempts).toBe(2)
    expect(log.text).not.toContain('canary')
  })
})

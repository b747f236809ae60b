// The requests of docs/api, sent to the real chain in the order of the files.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describedBy } from '../testing/described-answers.ts'
import type { Described, OpenApiDocument } from '../testing/described-answers.ts'
import { createHttpRun, readHttpFile } from '../testing/http-file.ts'
import type { HttpFile, HttpRequest, Run } from '../testing/http-file.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

const fileAt = (name: string): HttpFile =>
  readHttpFile(readFileSync(new URL(`../../docs/api/${name}`, import.meta.url), 'utf8'))
const identity = fileAt('identity.http')
const services = fileAt('services.http')
const graphql = fileAt('graphql.http')
const all = [identity, services, graphql].flatMap(({ requests }) => requests)

let whole: WholeChain
let described: Described
beforeAll(async () => {
  whole = await startWholeChain()
  const response = await fetch(`${whole.identityUrl}/openapi.json`)
  described = describedBy((await response.json()) as OpenApiDocument)
})
afterAll(() => whole.close())

/** As the document names it. */
const operationOf = ({ method, url }: HttpRequest) =>
  `${method} ${url}`.replace('{{api}}', '/api/auth').replace('{{identity}}', '')

interface Coded {
  code?: string
  error?: string
  data?: Record<string, Coded> | null
  errors?: { extensions?: Coded }[]
}

/** Of an answer of the API, of OAuth, or of GraphQL. */
function codeIn(body: unknown): string | undefined {
  const { code, error, data, errors } = Object(body) as Coded
  const [first] = Object.values(data ?? {})
  return code ?? error ?? errors?.[0]?.extensions?.code ?? first?.code
}

async function expectAnswer(run: Run, request: HttpRequest): Promise<void> {
  const { status, body } = await run(request)
  const told = [request.title, status, request.expected.code && codeIn(body)]
  expect(told).toEqual([request.title, request.expected.status, request.expected.code])
  const operation = operationOf(request)
  const isDescribed = described.operations.includes(operation)
  expect(isDescribed ? described.faultsOf(operation, status, body) : []).toEqual([])
}

describe('docs/api/identity.http', () => {
  it.each(['the identity service itself', 'the gateway'])(
    'leads where it says, at %s',
    async (place) => {
      const origin = place === 'the gateway' ? whole.url : whole.identityUrl
      const run = createHttpRun(identity, { api: `${origin}/api/auth` })
      for (const request of identity.requests) await expectAnswer(run, request)
    },
  )
})

describe('docs/api/services.http', () => {
  it('leads where it says', async () => {
    const { identityUrl, issuer, url } = whole
    const run = createHttpRun(services, { identity: identityUrl, adapter: issuer, app: url })
    for (const request of services.requests) await expectAnswer(run, request)
  })
})

describe('docs/api/graphql.http', () => {
  it('leads where it says', async () => {
    const run = createHttpRun(graphql, { app: whole.url })
    for (const request of graphql.requests) await expectAnswer(run, request)
  })
})

describe('the collection', () => {
  it('says of each request what comes', () => {
    for (const { title, expected, method, url } of all) {
      expect(title).not.toBe('')
      expect([title, expected.status >= 200]).toEqual([title, true])
      expect(method).toMatch(/^(?:GET|POST)$/)
      expect(url).toMatch(/^\{\{\w+\}\}\//)
    }
  })

  it('has each operation that the OpenAPI document tells of', () => {
    const asked = all.map(operationOf)
    expect(described.operations.length).toBeGreaterThan(7)
    expect(described.operations.filter((operation) => !asked.includes(operation))).toEqual([])
  })

  it('does not go on where an answer lacks what the next request needs', async () => {
    const run = createHttpRun(identity, { api: `${whole.identityUrl}/api/auth` })
    const [, second] = identity.requests
    await expect(run(second as HttpRequest)).rejects.toThrow('leads nowhere')
  })

  it('is held against the document: another answer is found', () => {
    const body = { success: true, code: 'AUTH_LOGOUT_SUCCESS', data: {} }
    expect(described.faultsOf('POST /api/auth/logout', 200, body)).toEqual([])
    expect(described.faultsOf('POST /api/auth/logout', 200, { ...body, more: 1 })).not.toEqual([])
    expect(described.faultsOf('POST /api/auth/logout', 418, body)).not.toEqual([])
  })
})

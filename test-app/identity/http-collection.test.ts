// The requests of docs/api, sent to the real chain in the order of the files.
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHttpRun, readHttpFile } from '../testing/http-file.ts'
import type { HttpFile, HttpRequest, Run } from '../testing/http-file.ts'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'

const fileAt = (name: string): HttpFile =>
  readHttpFile(readFileSync(new URL(`../../docs/api/${name}`, import.meta.url), 'utf8'))
const identity = fileAt('identity.http')
const services = fileAt('services.http')

let whole: WholeChain
beforeAll(async () => {
  whole = await startWholeChain({
    config: {
      clients: {
        worker: {
          client_secret: 'worker-secret',
          grant_types: ['client_credentials'],
          scope: 'log:write',
        },
      },
      resources: {
        'urn:logging-backend': {
          audience: 'logging-backend',
          scope: 'log:write',
          clients: ['worker'],
        },
      },
    },
  })
})
afterAll(() => whole.close())

async function expectAnswer(run: Run, request: HttpRequest): Promise<void> {
  const { status, body } = await run(request)
  const { code, error } = Object(body) as { code?: string; error?: string }
  const told = [request.title, status, request.expected.code && (code ?? error)]
  expect(told).toEqual([request.title, request.expected.status, request.expected.code])
}

describe('docs/api/identity.http', () => {
  it('leads where it says, at the identity service itself', async () => {
    const run = createHttpRun(identity, { api: `${whole.identityUrl}/api/auth` })
    for (const request of identity.requests) await expectAnswer(run, request)
  })
})

describe('docs/api/services.http', () => {
  it('leads where it says', async () => {
    const { identityUrl, issuer, url } = whole
    const run = createHttpRun(services, { identity: identityUrl, adapter: issuer, app: url })
    for (const request of services.requests) await expectAnswer(run, request)
  })
})

describe('the collection', () => {
  it('says of each request what comes', () => {
    for (const { title, expected, method, url } of [...identity.requests, ...services.requests]) {
      expect(title).not.toBe('')
      expect([title, expected.status >= 200]).toEqual([title, true])
      expect(method).toMatch(/^(?:GET|POST)$/)
      expect(url).toMatch(/^\{\{\w+\}\}\//)
    }
  })

  it('has each operation of the OpenAPI document, with an answer that it tells of', async () => {
    const response = await fetch(`${whole.identityUrl}/openapi.json`)
    const { paths } = (await response.json()) as { paths: Record<string, object> }
    const asked = [...identity.requests, ...services.requests].map(({ method, url }) =>
      `${method} ${url}`.replace('{{api}}', '/api/auth').replace('{{identity}}', ''),
    )
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(described.filter((operation) => !asked.includes(operation))).toEqual([])
  })

  it('does not go on where an answer lacks what the next request needs', async () => {
    const run = createHttpRun(identity, { api: `${whole.identityUrl}/api/auth` })
    const [, second] = identity.requests
    await expect(run(second as HttpRequest)).rejects.toThrow('leads nowhere')
  })
})

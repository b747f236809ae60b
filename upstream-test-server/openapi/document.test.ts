import { describe, expect, it } from 'vitest'
import { ownConnection, startForTest } from '../test-support/test-browser.ts'
import { openApiDocument, operationsOf } from './document.ts'
import { faultsOfExchange } from './test-support/check-answer.ts'
import type { Exchange } from './test-support/check-answer.ts'

const issuer = 'http://127.0.0.1:9'
const document = openApiDocument({ issuer, hasTestToken: false })
const text = JSON.stringify(document)

const headers = new Headers({ 'x-request-id': 'request-0001', 'x-correlation-id': 'request-0001' })
const error = { success: false, code: 'INVALID_TOKEN', message: 'x', request_id: 'request-0001' }
const refused: Exchange = {
  method: 'GET',
  path: '/api/auth/context',
  status: 401,
  body: error,
  headers: new Headers([...headers, ['www-authenticate', 'Bearer']]),
}

async function servedAt(url: string): Promise<unknown> {
  const response = await fetch(`${url}/openapi.json`, { headers: ownConnection })
  expect([response.status, response.headers.get('content-type')]).toEqual([
    200,
    'application/json; charset=utf-8',
  ])
  return response.json()
}

describe('/openapi.json', () => {
  it('is served for the issuer, as OpenAPI 3.1', async () => {
    const server = await startForTest()
    const options = { issuer: server.issuer, hasTestToken: false }
    expect(await servedAt(server.issuer)).toEqual(
      JSON.parse(JSON.stringify(openApiDocument(options))),
    )
    await server.close()
    expect(document).toMatchObject({ openapi: '3.1.1', servers: [{ url: issuer }] })
  })

  it('has every path of the API, each with what goes wrong', () => {
    expect(Object.keys(document.paths ?? {})).toEqual([
      '/api/auth/login',
      '/api/auth/system/login',
      '/api/auth/select-branch',
      '/api/auth/refresh',
      '/api/auth/logout',
      '/api/auth/context',
      '/token',
      '/verify',
    ])
    const login = document.paths?.['/api/auth/login']?.post?.responses ?? {}
    const refusals = ['400', '401', '403', '413', '414', '415', '421', '423', '500']
    expect(Object.keys(login)).toEqual(['200', ...refusals])
  })

  it('has /test-token where it is switched on, and only there', async () => {
    const server = await startForTest({ hasTestToken: true })
    expect(await servedAt(server.issuer)).toHaveProperty(['paths', '/test-token'])
    await server.close()
    expect(text).not.toContain('test-token')
  })

  it('refers to nothing that it does not have', () => {
    const references = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path)
    expect(references.length).toBeGreaterThan(20)
    for (const path of new Set(references)) expect(document).toHaveProperty(path.split('/'))
  })

  it('names each operation once', () => {
    const names = Object.values(operationsOf({ hasTestToken: true })).map(({ id }) => id)
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('an answer that the document does not tell of is found, where it', () => {
  it('is as described, it is not', () => {
    expect(faultsOfExchange(refused)).toEqual([])
  })

  it.each<[string, Partial<Exchange>, string]>([
    ['has another status', { status: 418 }, 'the document has no answer 418'],
    ['has a code of another operation', { body: { ...error, code: 'SYSTEM_ACCOUNT' } }, 'code'],
    ['has a field more', { body: { ...error, password: 'x' } }, 'password'],
    ['has fields at another code', { body: { ...error, fields: [] } }, 'fields'],
    ['has a field less', { body: { ...error, request_id: undefined } }, 'request_id'],
    ['lacks a header', { headers }, 'www-authenticate'],
    ['is of a path that is not described', { path: '/api/auth/x', status: 200 }, 'not described'],
  ])('%s', (_name, change, expected) => {
    const found = faultsOfExchange({ ...refused, ...change })
    expect(found.join('\n').toLowerCase()).toContain(expected)
  })

  it('is an answer to what the document does not let one send', () => {
    const body = { success: true, code: 'AUTH_LOGOUT_SUCCESS', data: {} }
    const set = new Headers([...headers, ['set-cookie', 'a=b']])
    const logout = { method: 'POST', path: '/api/auth/logout', status: 200, body, headers: set }
    expect(faultsOfExchange({ ...logout, sent: {} })).toEqual([])
    const [fault] = faultsOfExchange({ ...logout, sent: { everybody: true } })
    expect(fault).toContain('everybody')
  })

  it('is seen by the schema and by the document alike', () => {
    const found = faultsOfExchange({ ...refused, body: { ...error, message: 1 } })
    expect(found.map((fault) => fault.split(':')[0])).toEqual(['schema', 'document'])
  })
})

// Each class of error as an answer: which page, which status, what a program is told, what the log says.
import express from 'express'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { configSchema } from './config/schema.ts'
import { createErrorHandler } from './error-handler.ts'
import {
  InteractionError,
  StorageError,
  UpstreamError,
  type InteractionErrorCode,
  type UpstreamErrorCode,
} from './errors.ts'
import { listen, type Listening } from '../service/listen.ts'
import { requestLog } from '../service/request-log.ts'
import { noteFields } from '../service/request-context.ts'
import { recordingLog } from './upstream/test-support/login.ts'

const config = configSchema.parse({
  issuer: 'http://127.0.0.1:9000',
  upstreams: {
    up: {
      kind: 'oidc',
      issuer: 'http://127.0.0.1:1',
      client_id: 'a',
      client_secret: 'b',
      display_name: 'Upstream & Sons',
    },
  },
  clients: {
    one: {
      client_name: 'App <one>',
      client_uri: 'http://127.0.0.1:8080/',
      redirect_uris: ['http://127.0.0.1:8080/'],
    },
    two: { redirect_uris: ['http://127.0.0.1:8081/'] },
  },
})
const log = recordingLog()
let thrown: unknown
let server: Listening

beforeAll(async () => {
  const errors = createErrorHandler({ config, log, binding: { find: () => undefined } })
  const app = express()
  app.use(requestLog({ log }))
  app.get('/throw', (_request, _response, next) => {
    noteFields({ flow_id: 'flow-12345' })
    next(thrown)
  })
  app.get('/half', (_request, response) => {
    response.write('x')
    throw new Error('too late')
  })
  app.use(errors.notFound)
  app.use(errors.express)
  server = await listen(app, { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 100 })
})
afterAll(() => server.close())
afterEach(() => void (log.lines.length = 0))

async function answerTo(error: unknown, accept = 'text/html') {
  thrown = error
  const response = await fetch(`${server.url}/throw`, { headers: { accept } })
  const body = await response.text()
  const lines = log.lines.filter(({ event }) => event !== 'request.done')
  return {
    status: response.status,
    headers: response.headers,
    body,
    title: /<title>(.*?)<\/title>/.exec(body)?.[1],
    lines,
  }
}

describe('InteractionError', () => {
  const PAGES: Record<InteractionErrorCode, [status: number, title: string]> = {
    not_started_here: [400, 'This sign-in was not started here, or is over'],
    expired: [400, 'This sign-in took too long'],
    cookies_blocked: [400, 'Your browser blocks cookies'],
    upstream_mismatch: [400, 'This sign-in was not started here, or is over'],
    unknown_upstream: [404, 'There is no such way to sign in'],
    method_not_allowed: [405, 'This page can not be opened that way'],
    already_signed_in: [200, 'You are signed in'],
  }
  it.each(Object.entries(PAGES))('%s', async (code, [status, title]) => {
    const answer = await answerTo(
      new InteractionError(code as InteractionErrorCode, 'for operators', {
        wayOn: { clientId: 'one' },
      }),
    )
    expect([answer.status, answer.title]).toEqual([status, title])
    expect(answer.body).toContain('flow-12345')
    expect(answer.body).not.toContain('for operators')
    expect(answer.body).toContain('href="http://127.0.0.1:8080/"')
    expect(answer.body).toContain('App &lt;one&gt;')
    expect(answer.lines).toEqual([
      { level: 'warn', event: 'login.refused', fields: { code, reason: 'for operators' } },
    ])
  })
})

describe('UpstreamError', () => {
  const CODES: Record<UpstreamErrorCode, string> = {
    unavailable: 'does not answer',
    authorization_error: 'failed',
    code_rejected: 'failed',
    refresh_rejected: 'failed',
    client_rejected: 'failed',
    identity_invalid: 'failed',
    context_unmet: 'failed',
    issuer_mismatch: 'failed',
    metadata_invalid: 'failed',
  }
  it.each(Object.entries(CODES))(
    '%s: 502, with the ways on, logged elsewhere',
    async (code, words) => {
      const error = new UpstreamError(code as UpstreamErrorCode, 'up', 'for operators')
      error.wayOn = { clientId: 'two', retryPath: '/retry?interaction=x', cancelPath: '/cancel' }
      const answer = await answerTo(error)
      expect(answer.status).toBe(502)
      expect(answer.title).toContain('Upstream &amp; Sons')
      expect(answer.title).toContain(words)
      expect(answer.body).toMatch(/href="\/retry\?interaction=x"[^>]*>Try again/)
      expect(answer.body).toContain('href="/cancel"')
      expect(answer.body).not.toContain('for operators')
      expect(answer.lines).toEqual([])
    },
  )
})

describe('other errors', () => {
  it('a store that fails: 503, Retry-After, logged as an error', async () => {
    const error = new StorageError('unavailable', 'for operators')
    for (const said of [
      error,
      Object.assign(new Error('in OAuth’s words', { cause: error }), { status: 503, expose: true }),
    ]) {
      log.lines.length = 0
      const answer = await answerTo(said)
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2'])
      expect(answer.title).toBe('We can not sign you in right now')
      expect(answer.body).toMatch(/href="">Try again/)
      expect(answer.lines).toMatchObject([
        { level: 'error', event: 'storage.failed', fields: { code: 'unavailable', error } },
      ])
    }
  })

  it.each([400, 404, 413, 415, 431])(
    'what a parser marks as the request’s fault keeps its status %i',
    async (status) => {
      const answer = await answerTo(Object.assign(new Error('a parser says'), { status }))
      expect(answer.status).toBe(status)
      expect(answer.body).not.toContain('a parser says')
      expect(answer.lines).toEqual([
        { level: 'warn', event: 'request.refused', fields: { status, reason: 'a parser says' } },
      ])
    },
  )

  it.each([
    ['an Error', new Error('what broke')],
    ['a status that is none of ours', Object.assign(new Error('what broke'), { status: 200 })],
    ['a 5xx', Object.assign(new Error('what broke'), { status: 502 })],
    ['no error at all', 'what broke'],
    ['a thrown object', { what: 'broke' }],
  ])('F54 %s: 500, nothing of it on the page, all of it in the log', async (_name, error) => {
    const answer = await answerTo(error)
    expect([answer.status, answer.title]).toEqual([500, 'Something went wrong on our side'])
    expect(answer.body).not.toMatch(/what broke|at .*\.ts/)
    expect(answer.lines).toMatchObject([
      { level: 'error', event: 'request.failed', fields: { error } },
    ])
  })

  it('after the answer began the connection ends, and the process lives', async () => {
    await expect(fetch(`${server.url}/half`).then((response) => response.text())).rejects.toThrow()
    expect((await fetch(`${server.url}/nothing`)).status).toBe(404)
  })
})

describe('who asks', () => {
  it('a program gets JSON with the flow id', async () => {
    const answer = await answerTo(
      new InteractionError('expired', 'for operators'),
      'application/json',
    )
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toEqual({
      error: 'expired',
      flow_id: 'flow-12345',
      request_id: expect.any(String) as unknown,
    })
  })

  it.each([
    'text/html',
    '*/*',
    'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'image/png',
  ])('Accept %s gets the page', async (accept) => {
    expect(
      (await answerTo(new InteractionError('expired', 'x'), accept)).headers.get('content-type'),
    ).toBe('text/html; charset=utf-8')
  })

  it('with two apps and none known there is no link to a wrong one', async () => {
    const answer = await answerTo(new InteractionError('not_started_here', 'x'))
    expect(answer.body).not.toContain('127.0.0.1:8080')
  })
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWholeChain } from '../testing/whole-chain.ts'
import type { WholeChain } from '../testing/whole-chain.ts'
import { readWorkerEnvironment, workerHelp } from './environment.ts'
import { runWorker } from './worker.ts'

const SECRET = 'shared by the worker and the test app'

let whole: WholeChain

beforeAll(async () => {
  whole = await startWholeChain({
    app: { worker: { issuer: 'worker', secret: SECRET } },
    config: {
      clients: {
        worker: {
          client_secret: 'worker-secret',
          grant_types: ['client_credentials'],
          scope: 'log:write',
        },
        reports: { client_secret: 'reports-secret', grant_types: ['client_credentials'] },
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

async function run(env: Readonly<Record<string, string>> = {}) {
  const lines: string[] = []
  const settings = readWorkerEnvironment({
    TEST_APP_ISSUER: whole.issuer,
    WORKER_LOG_URL: `${whole.url}/log`,
    TEST_APP_WORKER_SECRET: SECRET,
    ...env,
  })
  const say = (line: string) => void lines.push(line)
  const isRight = await runWorker({ ...settings, now: Date.now, say })
  return { isRight, text: lines.join('\n') }
}

async function clientToken(id: string, resource?: string) {
  const answer = await fetch(`${whole.issuer}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${id}:${id}-secret`).toString('base64')}` },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      ...(resource === undefined ? {} : { resource }),
    }),
  })
  return ((await answer.json()) as { access_token?: string }).access_token ?? ''
}

const post = (token: string, line: object = { level: 'info', event: 'tried' }) =>
  fetch(`${whole.url}/log`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(line),
  })

describe('npm run worker', () => {
  it('has its lines stored by a token of the adapter and by one of its own, which counts once', async () => {
    const { isRight, text } = await run()
    expect(isRight).toBe(true)
    expect(text).toMatch(/gave worker a token for logging-backend: good for 300 s/)
    expect(text.match(/: 200, stored as line \d+/g)).toHaveLength(2)
    expect(text).toMatch(
      /: 401, Bearer realm="logging-backend", error="invalid_token".*used before/,
    )
    const stored = whole.events('service_log.stored')
    expect(stored.map(({ service, iss }) => [service, iss])).toEqual([
      ['worker', whole.issuer],
      ['worker', 'worker'],
    ])
  })

  it('A43 says nothing that opens a door, nor does the log', async () => {
    const { text } = await run()
    const all = text + whole.log.text + whole.chain.logLines.join('')
    expect(all).not.toMatch(/eyJ/)
    for (const secret of [SECRET, 'worker-secret']) expect(all).not.toContain(secret)
  })

  it.each([
    ['a wrong secret at the adapter', { WORKER_SECRET: 'wrong' }, /refused client_id and client_/],
    [
      'a client that may not ask for it (A48)',
      { WORKER_CLIENT_ID: 'reports', WORKER_SECRET: 'reports-secret' },
      /gave no token/,
    ],
    ['another shared secret', { TEST_APP_WORKER_SECRET: 'b'.repeat(32) }, /: 401, .*not signed by/],
    ['another audience', { TEST_APP_LOG_AUDIENCE: 'billing' }, /: 401, .*another service/],
    ['nobody at the other end', { WORKER_LOG_URL: 'http://127.0.0.1:1/log' }, /not be reached/],
    ['nobody at the adapter', { TEST_APP_ISSUER: 'http://127.0.0.1:1' }, /gave no token/],
  ])('fails and says why: %s', async (_, env, said) => {
    const { isRight, text } = await run(env)
    expect(isRight).toBe(false)
    expect(text).toMatch(said)
  })
})

describe('GET /log', () => {
  it('shows the lines to people who are signed in, as text, and leads others to where one signs in', async () => {
    const browser = whole.browser()
    const page = await whole.signIn(browser, 'testuser', '/authenticated')
    expect(page.text).toContain('href="/log"')
    await run()
    const { status, text } = await browser.open(`${whole.url}/log`)
    expect(status).toBe(200)
    expect(text).toContain('Sent by a token of its own.')
    expect(text).toContain(`<code>${whole.issuer}</code>; the service says`)
    const token = await clientToken('worker', 'urn:logging-backend')
    await post(token, { level: 'info', event: 'odd', message: '<script>alert(1)</script>' })
    const odd = await browser.open(`${whole.url}/log`)
    expect(odd.text).toContain('&lt;script&gt;alert(1)')
    const nobody = await whole.browser().open(`${whole.url}/log`)
    expect([nobody.status, nobody.location]).toEqual([
      302,
      `${whole.url}/login.html?return_to=%2Flog`,
    ])
    // A token of a service is none of a person.
    const headers = { authorization: `Bearer ${token}`, accept: 'text/html' }
    expect((await fetch(`${whole.url}/log`, { headers })).status).toBe(401)
  })
})

describe('a token of the adapter at POST /log', () => {
  it('A48 is refused when it is for the client itself', async () => {
    const answer = await post(await clientToken('reports'))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('meant for another service')
    expect((await post(await clientToken('worker', 'urn:logging-backend'))).status).toBe(200)
  })

  it('A52 ends with its life, five minutes: the signature alone is looked at', async () => {
    const token = await clientToken('worker', 'urn:logging-backend')
    expect((await post(token)).status).toBe(200)
    whole.clock.offsetMs = 301_000
    expect((await post(token)).status).toBe(401)
    whole.clock.offsetMs = 0
  })
})

describe(readWorkerEnvironment, () => {
  it('finds the secret that npm start made, and follows the ports of the demo', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'worker-'))
    writeFileSync(path.join(folder, 'worker.secret'), `${SECRET}\n`)
    const env = { AUTH_ADAPTER_DATA: folder, TEST_APP_PORT: '8085', ADAPTER_PORT: '9005' }
    expect(readWorkerEnvironment(env)).toMatchObject({
      sharedSecret: SECRET,
      logUrl: 'http://127.0.0.1:8085/log',
      issuer: 'http://127.0.0.1:9005',
    })
    rmSync(folder, { recursive: true })
  })

  it.each([
    [{}, /TEST_APP_WORKER_SECRET is not set, and there is no nowhere/],
    [{ TEST_APP_WORKER_SECRET: 'short' }, /at least 32 bytes/],
    [{ WORKER_LOG_URL: 'http://log.example/log' }, /WORKER_LOG_URL: http is accepted on loopback/],
    [{ TEST_APP_ISSUER: 'http://op.example' }, /TEST_APP_ISSUER: http is accepted on loopback/],
  ])('refuses %o, naming the variable', (env, message) => {
    expect(() => readWorkerEnvironment({ AUTH_ADAPTER_DATA: 'nowhere', ...env })).toThrow(message)
  })

  it('tells what can be set, without a secret', () => {
    const help = workerHelp({ TEST_APP_WORKER_SECRET: SECRET })
    expect(help).toContain('WORKER_RESOURCE')
    expect(help).not.toContain(SECRET)
  })
})

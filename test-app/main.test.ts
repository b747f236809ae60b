import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'test-app-main-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function run(env: Record<string, string>, args: readonly string[] = []) {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args], {
    env: { PATH: process.env['PATH'], AUTH_ADAPTER_DATA: folder, TEST_APP_PORT: '0', ...env },
  })
  const output = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => void (output.err += text))
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
  const listening = async (): Promise<string> => {
    for (;;) {
      const found = /"event":"listening","url":"([^"]+)"/.exec(output.out)?.[1]
      if (found) return found
      if (child.exitCode !== null) throw new Error(output.err)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return { child, output, exit, listening }
}

describe('the process', () => {
  it('says where it listens, uses that address in its requests, and ends with 0 on SIGTERM', async () => {
    const app = run({})
    const url = await app.listening()
    expect(await (await fetch(`${url}/ping`)).text()).toBe('pong')
    expect(await (await fetch(url)).text()).toContain(`<code>${url}</code>`)
    app.child.kill('SIGTERM')
    expect(await app.exit).toBe(0)
  })

  it('names the setting of a taken port', async () => {
    const first = run({})
    const { port } = new URL(await first.listening())
    const second = run({ TEST_APP_PORT: port })
    expect(await second.exit).toBe(1)
    expect(second.output.err).toMatch(/in use.*TEST_APP_PORT/)
    first.child.kill('SIGTERM')
    await first.exit
  })

  it('two that start at once on one folder share its secret', async () => {
    const apps = [run({}), run({ TEST_APP_COOKIE: 'SECOND_APP_SESSION' })]
    await Promise.all(apps.map((app) => app.listening()))
    for (const app of apps) app.child.kill('SIGTERM')
    expect(await Promise.all(apps.map((app) => app.exit))).toEqual([0, 0])
  })

  it.each([
    ['production', 400],
    ['development', 200],
  ])('with NODE_ENV=%s the schema of /graphql is asked for: %i', async (NODE_ENV, status) => {
    const app = run({ NODE_ENV })
    const answer = await fetch(`${await app.listening()}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __schema { types { name } } }' }),
    })
    expect(answer.status).toBe(status)
    app.child.kill('SIGTERM')
    await app.exit
  })

  it('lists its environment with --help', async () => {
    const help = run({}, ['--help'])
    expect(await help.exit).toBe(0)
    for (const name of ['TEST_APP_PORT', 'TEST_APP_ISSUER', 'TEST_APP_IDENTITY_URL', 'REDIS_URL'])
      expect(help.output.out).toContain(name)
  })

  const faults = [
    [{ TEST_APP_PORT: 'http' }, /TEST_APP_PORT/],
    [{ TEST_APP_ISSUER: 'http://idp.example' }, /TEST_APP_ISSUER.*loopback/],
    [{ TEST_APP_URL: 'https://app.example/path' }, /TEST_APP_URL/],
    [{ TEST_APP_IDENTITY_URL: 'http://idp.example' }, /TEST_APP_IDENTITY_URL.*loopback/],
    [{ TEST_APP_IDENTITY_URL: 'https://idp.example/x' }, /TEST_APP_IDENTITY_URL.*path/],
    [{ TEST_APP_COOKIE: 'a b' }, /TEST_APP_COOKIE/],
    [{ TEST_APP_TRUSTED_PROXIES: 'proxy' }, /TEST_APP_TRUSTED_PROXIES: expected addresses/],
    [{ TEST_APP_TLS_KEY: 'key.pem' }, /TEST_APP_TLS_CERT/],
    [{ TEST_APP_SESSION_SECRET: 'short' }, /32 characters/],
    [{ TEST_APP_WORKER_SECRET: 'short' }, /TEST_APP_WORKER_SECRET: expected at least 32 bytes/],
    [
      { TEST_APP_WORKER_ISSUER: 'https://op.example', TEST_APP_ISSUER: 'https://op.example' },
      /TEST_APP_WORKER_ISSUER: expected another/,
    ],
    [{ TEST_APP_LOG_AUDIENCE: 'a "b"' }, /TEST_APP_LOG_AUDIENCE: expected/],
    [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
  ] as const
  it.each(faults)('refuses %o with exit code 2, naming the variable', async (env, message) => {
    const app = run(env)
    expect(await app.exit).toBe(2)
    expect(app.output.err).toMatch(message)
  })
})

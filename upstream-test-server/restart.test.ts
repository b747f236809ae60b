import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  authorizationRequest,
  callback,
  codeOf,
  createTestBrowser,
  ownConnection,
  redeem,
  startForTest,
} from './test-support/test-browser.ts'

const main = fileURLToPath(new URL('./main.ts', import.meta.url))

let folder: string
const children: ChildProcessByStdio<null, Readable, Readable>[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'upstream-test-server-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

function run(env: Record<string, string>, args: string[] = []) {
  const all = {
    PATH: process.env.PATH ?? '',
    AUTH_ADAPTER_DATA: folder,
    UPSTREAM_REDIRECT_URIS: callback,
    ...env,
  }
  const child = spawn(process.execPath, [main, ...args], {
    env: all,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  const { promise: url, resolve } = Promise.withResolvers<string>()
  const read = (chunk: Buffer) => {
    output += chunk.toString()
    const line = output.split('\n').find((candidate) => candidate.includes('"event":"listening"'))
    if (line) resolve((JSON.parse(line) as { url: string }).url)
  }
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  const exit = new Promise<number | null>((done) => child.once('close', done))
  return { child, url, exit, output: () => output }
}

describe('a restart', () => {
  it('F45 kill -9 between the form and its answer: the login finishes on the restarted server', async () => {
    const first = run({ UPSTREAM_PORT: '0' })
    const issuer = await first.url
    const browser = createTestBrowser(issuer)
    const request = authorizationRequest(issuer)
    const form = await browser.open(request.url)
    first.child.kill('SIGKILL')
    await first.exit

    const second = run({ UPSTREAM_PORT: new URL(issuer).port })
    expect(await second.url).toBe(issuer)
    const page = await browser.submit(form, { username: 'testuser', password: 'password' })
    expect((await redeem(issuer, codeOf(page), request.verifier)).status).toBe(200)
  })

  it('keeps sessions, unredeemed codes, the signing key and the count of failures', async () => {
    const databaseFile = join(folder, 'upstream.sqlite')
    const first = await startForTest({ databaseFile })
    const { issuer, port } = first
    const browser = createTestBrowser(issuer)
    const request = authorizationRequest(issuer)
    const form = await browser.open(request.url)
    await browser.submit(form, { username: 'ada', password: 'wrong' })
    const page = await browser.submit(form, { username: 'testuser', password: 'password' })
    const keys = async () =>
      (await fetch(`${issuer}/oauth2/jwks`, { headers: ownConnection })).json()
    const before = await keys()
    await first.close()

    const second = await startForTest({ databaseFile, port })
    expect(await keys()).toEqual(before)
    expect(second.users.failedAttempts('ada')).toBe(1)
    expect((await redeem(issuer, codeOf(page), request.verifier)).status).toBe(200)
    expect(codeOf(await browser.open(authorizationRequest(issuer).url))).not.toBe('')
    await second.close()
  })
})

describe('the process', () => {
  it('makes files that only their owner reads', async () => {
    const server = await startForTest({ databaseFile: join(folder, 'new', 'upstream.sqlite') })
    const files = await readdir(join(folder, 'new'))
    expect(files).toContain('upstream.sqlite')
    for (const file of files)
      expect((await stat(join(folder, 'new', file))).mode & 0o777).toBe(0o600)
    await server.close()
  })

  it('ends with 0 on SIGTERM', async () => {
    const { child, url, exit } = run({ UPSTREAM_PORT: '0', UPSTREAM_DATABASE: ':memory:' })
    await url
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
    expect(await readdir(folder)).toEqual([])
  })

  it('names UPSTREAM_PORT when the port is taken, and ends with 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taken.once('listening', resolve))
    const { port } = taken.address() as AddressInfo
    const { exit, output } = run({ UPSTREAM_PORT: String(port) })
    expect(await exit).toBe(1)
    expect(output()).toContain('UPSTREAM_PORT')
    expect(output()).toContain(String(port))
    taken.close()
  })

  it('F37 names the database file that is none, leaves it alone, and ends with 1', async () => {
    const file = join(folder, 'upstream.sqlite')
    await writeFile(
      file,
      'not a database, but something long enough to be taken for one '.repeat(20),
    )
    const before = await readFile(file)
    const { exit, output } = run({ UPSTREAM_PORT: '0' })
    expect(await exit).toBe(1)
    expect(output()).toContain(file)
    expect(await readFile(file)).toEqual(before)
  })

  it('--help lists every variable and shows no secret', async () => {
    const { exit, output } = run({}, ['--help'])
    expect(await exit).toBe(0)
    for (const name of [
      'UPSTREAM_HOST',
      'UPSTREAM_PORT',
      'UPSTREAM_ISSUER',
      'UPSTREAM_REDIRECT_URIS',
      'UPSTREAM_TLS_CERT',
      'LOG_LEVEL',
    ])
      expect(output()).toContain(name)
    expect(output()).not.toContain('test-secret')
  })

  it.each([
    [{ UPSTREAM_PORT: 'x' }, 'UPSTREAM_PORT'],
    [{ UPSTREAM_ISSUER: 'http://127.0.0.1:9001/' }, 'UPSTREAM_ISSUER'],
    [{ UPSTREAM_TLS_CERT: 'cert.pem' }, 'UPSTREAM_TLS_KEY'],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
    [{ UPSTREAM_PASSWORD_MEMORY_KIB: '1' }, 'UPSTREAM_PASSWORD_MEMORY_KIB'],
  ])('%j is a fault named with its variable, exit code 2', async (env, name) => {
    const { exit, output } = run(env)
    expect(await exit).toBe(2)
    expect(output()).toContain(name)
  })
})

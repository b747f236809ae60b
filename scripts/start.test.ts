// `npm start` as people run it: its own process, real ports, real children.
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { NODE, startProcess, type ManagedProcess } from './managed-process.ts'
import { freePorts, isPortFree } from './ports.ts'

let data: string
let ports: number[]
let started: ManagedProcess | undefined

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'auth-adapter-start-'))
  ports = await freePorts(5)
})
afterEach(async () => {
  await started?.stop()
  started = undefined
  rmSync(data, { recursive: true, force: true })
})

const settings = () => {
  const [TEST_APP_PORT, ADAPTER_PORT, ADAPTER_ADMIN_PORT, UPSTREAM_PORT, UPSTREAM_CONTROL_PORT] =
    ports.map(String)
  const own = { TEST_APP_PORT, ADAPTER_PORT, ADAPTER_ADMIN_PORT, UPSTREAM_PORT }
  return { ...own, UPSTREAM_CONTROL_PORT, AUTH_ADAPTER_DATA: data }
}

function npmStart(env: NodeJS.ProcessEnv = {}, args: readonly string[] = []): ManagedProcess {
  const { REDIS_URL: _, ...inherited } = process.env
  const options = { env: { ...inherited, ...settings(), ...env } }
  started = startProcess({
    name: 'start',
    command: NODE,
    args: ['scripts/start.ts', ...args],
    ...options,
  })
  return started
}

/** It finds the demo by the same settings, and the secret in the data folder. */
const npmWorker = (): ManagedProcess =>
  startProcess({
    name: 'worker',
    command: NODE,
    args: ['test-app/worker/main.ts'],
    env: { ...process.env, ...settings() },
  })

const shows = (run: ManagedProcess, text: string) =>
  expect.poll(() => run.lines.join('\n'), { timeout: 15_000 }).toContain(text)

const listen = (port: number) =>
  new Promise<Server>((resolve) => {
    const server = createServer().listen(port, '127.0.0.1', () => resolve(server))
  })

const portsInUse = async () => {
  const free = await Promise.all(ports.map(isPortFree))
  return ports.filter((_, index) => !free[index])
}

/** Where the adapter sends a browser that an app sent to this upstream. */
async function upstreamAskedFor(name: string): Promise<URL> {
  const url = new URL(`http://127.0.0.1:${ports[1]}/oauth2/authorize`)
  url.search = new URLSearchParams({
    client_id: 'client',
    redirect_uri: `http://127.0.0.1:${ports[0]}/login/oauth2/code/auth-adapter`,
    response_type: 'code',
    scope: 'openid',
    code_challenge: 'c'.repeat(43),
    code_challenge_method: 'S256',
    upstream: name,
  }).toString()
  const first = await fetch(url, { redirect: 'manual' })
  const cookie = first.headers.getSetCookie().map((header) => header.split(';')[0])
  const start = new URL(first.headers.get('location') ?? '', url)
  const headers = { cookie: cookie.join('; ') }
  const second = await fetch(start, { redirect: 'manual', headers })
  return new URL(second.headers.get('location') ?? '', start)
}

describe('npm start', () => {
  it('says what to open and who can sign in, serves, takes the lines of a worker, and leaves nothing behind', async () => {
    const run = npmStart()
    await shows(run, `Open      http://127.0.0.1:${ports[0]}`)
    await shows(run, 'testuser / password')
    const health = await fetch(`http://127.0.0.1:${ports[2]}/healthz`)
    expect(health.status).toBe(200)
    const worker = await npmWorker().ended
    expect(worker.code).toBe(0)
    expect(statSync(join(data, 'worker.secret')).mode & 0o777).toBe(0o600)
    expect((await run.stop()).code).toBe(0)
    expect(await portsInUse()).toEqual([])
  })

  it('runs another configuration, named from where it was called, and the switches of the upstream', async () => {
    const args = ['--config', 'examples/three-upstreams.yaml']
    const run = npmStart({ INIT_CWD: join(import.meta.dirname, '..', 'docs') }, args)
    await shows(run, 'three-upstreams.yaml')
    await shows(run, `told to misbehave at http://127.0.0.1:${ports[4]}`)
    expect((await fetch(`http://127.0.0.1:${ports[4]}/faults`)).status).toBe(200)
    for (const { name, leadsTo } of [
      { name: 'second-auth-server', leadsTo: '/second/oauth2/authorize' },
      { name: 'github-like', leadsTo: '/github-like/login/oauth/authorize' },
    ]) {
      const { pathname, port } = await upstreamAskedFor(name)
      expect({ pathname, port }).toEqual({ pathname: leadsTo, port: String(ports[3]) })
    }
  })

  it('names a taken port and the setting that moves it, and starts nothing', async () => {
    const taken = await listen(ports[1] ?? 0)
    const run = npmStart()
    expect((await run.ended).code).toBe(1)
    expect(run.lines).toEqual([
      `Port ${ports[1]} for the adapter is taken: set ADAPTER_PORT to another.`,
    ])
    await new Promise((done) => taken.close(done))
  })

  it('brings the others down when one ends, and says which', async () => {
    const run = npmStart({ AUTH_ADAPTER_CONFIG: join(data, 'missing.yaml') })
    expect((await run.ended).code).toBe(1)
    expect(run.lines.join('\n')).toContain('adapter ended with exit code 2')
    expect(await portsInUse()).toEqual([])
  })

  it('names two settings that want the same port', async () => {
    const run = npmStart({ ADAPTER_PORT: String(ports[3]) })
    expect((await run.ended).code).toBe(1)
    expect(run.lines[0]).toBe(
      `ADAPTER_PORT and UPSTREAM_PORT are both ${ports[3]}: give each its own port`,
    )
  })
})

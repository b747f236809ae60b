import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import { startUpstreamTestServer } from '../../upstream-test-server/start.ts'
import type { RunningUpstreamTestServer } from '../../upstream-test-server/start.ts'

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url))
const DEMO = fileURLToPath(new URL('../../auth-adapter.yaml', import.meta.url))
const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'
const SECRET = 'canary-secret-of-ours'

const folder = mkdtempSync(join(tmpdir(), 'doctor-'))
let upstream: RunningUpstreamTestServer
beforeAll(async () => {
  upstream = await startUpstreamTestServer({
    databaseFile: ':memory:',
    clients: [{ clientId: 'test-client', clientSecret: SECRET, redirectUris: [CALLBACK] }],
    log: createLog({ level: 'error' }),
    passwordCost: { memoryKib: 8, passes: 1, parallelism: 1 },
  })
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

function doctor(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AUTH_ADAPTER_|ADAPTER_|NODE_ENV$|FORCE_COLOR$)/.test(name),
  )
  const settings = { UPSTREAM_PORT: String(upstream.port), TEST_CLIENT_SECRET: SECRET }
  const options = { cwd: folder, env: { ...Object.fromEntries(inherited), ...settings, ...env } }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [CLI, 'upstream', 'doctor', ...args],
      options,
      (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

const demo = ['test-auth-server', '--config', DEMO]

interface Report {
  healthy: boolean
  findings: { check: string; verdict: string; sentence: string; fix?: string; snippet?: string }[]
}

async function faults(env: Record<string, string>): Promise<Report['findings']> {
  const { code, stdout } = await doctor([...demo, '--json'], env)
  const report = JSON.parse(stdout) as Report
  expect(code).toBe(1)
  expect(report.healthy).toBe(false)
  expect(stdout).not.toContain(SECRET)
  return report.findings.filter(({ verdict }) => verdict === 'fail')
}

const override = (setting: string, value: string) => ({
  [`AUTH_ADAPTER_UPSTREAMS__TEST_AUTH_SERVER__${setting}`]: value,
})

describe('auth-adapter upstream doctor', () => {
  it('A43 finds nothing wrong with the demo, ends with 0, and shows no colour and no secret', async () => {
    const { code, stdout, stderr } = await doctor(demo)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/, 0 failed, \d+ skipped\n$/)
    expect(stdout).toContain(CALLBACK)
    for (const probe of ['client', 'redirect-uri', 'authorization-request'])
      expect(stdout).toMatch(new RegExp(`^pass +${probe} +\\(probe\\) `, 'm'))
    expect(stdout).not.toContain('\u001b')
    expect(stdout).not.toContain(SECRET)
  })

  it('ends with 1 on a fault, with one line for all that could not be looked at', async () => {
    const issuer = override('ISSUER', 'http://127.0.0.1:1')
    const { code, stdout } = await doctor(demo, issuer)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^fail +discovery .*ECONNREFUSED/m)
    expect(stdout.match(/There is no discovery document/g)).toHaveLength(1)
    expect(await faults(issuer)).toMatchObject([{ check: 'discovery' }])
  })

  it('names a slash too many in the issuer', async () => {
    expect(await faults(override('ISSUER', `${upstream.issuer}/`))).toMatchObject([
      { check: 'issuer', sentence: expect.stringContaining('a trailing slash too many') },
    ])
  })

  it('names a secret that is wrong', async () => {
    expect(await faults({ TEST_CLIENT_SECRET: 'another-canary' })).toMatchObject([
      { check: 'client', sentence: expect.stringContaining('refused (invalid_client)') },
    ])
  })

  it('names a redirect URI that is not registered', async () => {
    expect(await faults({ ADAPTER_PORT: '9999' })).toMatchObject([
      { check: 'redirect-uri', fix: expect.stringContaining(CALLBACK.replace('9000', '9999')) },
    ])
  })

  it('names an algorithm that the provider does not use', async () => {
    const file = join(folder, 'es256.yaml')
    const text = readFileSync(DEMO, 'utf8')
    writeFileSync(file, text.replace('subject: bare', 'subject: bare\n    id_token_algs: [ES256]'))
    const { code, stdout } = await doctor(['test-auth-server', '--config', file])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^fail +id-token-algs +Expected ID tokens signed with ES256, found/m)
    expect(stdout).toContain('id_token_algs: [RS256]')
  })

  it('ends with 2 on an unknown name, and says which was meant', async () => {
    const { code, stdout, stderr } = await doctor(['test-auth-servr', '--config', DEMO])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('No upstream has this name. Did you mean "test-auth-server"?')
    expect((await doctor(['constructor', '--config', DEMO])).stderr).toContain(
      'There are: test-auth-server',
    )
  })

  it('ends with 2 on a configuration that can not be used, and on wrong usage', async () => {
    const file = join(folder, 'wrong.yaml')
    writeFileSync(file, readFileSync(DEMO, 'utf8').replace('issuer:', 'isuer:'))
    const { code, stdout } = await doctor(['test-auth-server', '--config', file, '--json'])
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ valid: false })
    expect((await doctor([])).code).toBe(2)
    expect((await doctor(['--help'])).stdout).toContain('auth-adapter upstream doctor')
  })
})

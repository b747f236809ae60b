// The doctor on docs/examples/three-upstreams.yaml, as it is and in six broken variants: it names the fault, and not another.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import { demoIssuersFor } from '../../upstream-test-server/issuers/demo-issuers.ts'
import {
  startUpstreamTestServer,
  type RunningUpstreamTestServer,
} from '../../upstream-test-server/start.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const EXAMPLE = join(ROOT, 'docs', 'examples', 'three-upstreams.yaml')
const CALLBACK = 'http://127.0.0.1:9000/login/oauth2/code/test-auth-server'

let upstream: RunningUpstreamTestServer
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'auth-adapter-doctor-'))
  upstream = await startUpstreamTestServer({
    databaseFile: ':memory:',
    passwordCost: { memoryKib: 8, passes: 1, parallelism: 1 },
    clients: [{ clientId: 'test-client', clientSecret: 'test-secret', redirectUris: [CALLBACK] }],
    issuers: demoIssuersFor({ redirectUris: [CALLBACK] }),
    log: createLog({ level: 'error', pretty: false }),
  })
})
afterAll(async () => {
  await upstream.close()
  await rm(folder, { recursive: true })
})

interface Finding {
  check: string
  verdict: string
  sentence: string
  fix?: string
}

interface Diagnosis {
  code: number
  faults: Finding[]
}

/** `changes`: settings of the upstream, as in `ISSUER`; `{origin}` in them is that of the test server. */
function diagnose(name: string, changes: Readonly<Record<string, string>> = {}) {
  const prefix = `AUTH_ADAPTER_UPSTREAMS__${name.toUpperCase().replaceAll('-', '_')}__`
  const overrides = Object.entries(changes).map(
    ([setting, value]) => [prefix + setting, value.replace('{origin}', upstream.issuer)] as const,
  )
  const own = { UPSTREAM_PORT: String(upstream.port), AUTH_ADAPTER_DATA: folder }
  const path = { PATH: process.env['PATH'] }
  const options = { cwd: folder, env: { ...path, ...own, ...Object.fromEntries(overrides) } }
  const cli = join(ROOT, 'adapter', 'cli.ts')
  const args = [cli, 'upstream', 'doctor', name, '--config', EXAMPLE, '--json']
  return new Promise<Diagnosis>((resolve) => {
    execFile(process.execPath, args, options, (error, stdout) => {
      const { findings } = JSON.parse(stdout) as { findings: Finding[] }
      const faults = findings.filter(({ verdict }) => verdict === 'fail')
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, faults })
    })
  })
}

describe('the doctor on the example of three upstreams', () => {
  it.each(['test-auth-server', 'second-auth-server', 'github-like'])(
    'finds nothing wrong with %s',
    async (name) => {
      expect(await diagnose(name)).toEqual({ code: 0, faults: [] })
    },
  )

  it.each([
    {
      fault: 'an issuer with a slash too many',
      name: 'second-auth-server',
      changes: { ISSUER: '{origin}/second/' },
      check: 'issuer',
      says: 'a trailing slash too many',
    },
    {
      fault: 'a discovery document of another issuer',
      name: 'second-auth-server',
      changes: { ENDPOINTS__DISCOVERY: '{origin}/.well-known/openid-configuration' },
      check: 'issuer',
      says: '/second',
    },
    {
      fault: 'an algorithm that it does not sign with',
      name: 'second-auth-server',
      changes: { ID_TOKEN_ALGS: '[ES256]' },
      check: 'id-token-algs',
      says: 'ES256',
    },
    {
      fault: 'a secret that is wrong',
      name: 'second-auth-server',
      changes: { CLIENT_SECRET: 'not-the-secret' },
      check: 'client',
      says: 'invalid_client',
    },
    {
      fault: 'a secret that is wrong, as GitHub says it',
      name: 'github-like',
      changes: { CLIENT_SECRET: 'not-the-secret' },
      check: 'client',
      says: 'incorrect_client_credentials',
    },
    {
      fault: 'an endpoint that is not there',
      name: 'github-like',
      changes: { ENDPOINTS__USERINFO: '{origin}/github-like/users/me' },
      check: 'userinfo',
      says: '404',
    },
  ])('names $fault', async ({ name, changes, check, says }) => {
    const { code, faults } = await diagnose(name, changes)
    expect(code).toBe(1)
    expect(faults.map((fault) => fault.check)).toContain(check)
    const [found] = faults.filter((fault) => fault.check === check)
    expect(`${found?.sentence} ${found?.fix}`).toContain(says)
    expect(found?.fix).toBeTruthy()
    expect(JSON.stringify(faults)).not.toContain('not-the-secret')
  })
})

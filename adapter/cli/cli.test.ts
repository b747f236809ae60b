import { execFile, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url))
const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))
const DEMO = fileURLToPath(new URL('../../auth-adapter.yaml', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'cli-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

type Env = Record<string, string>

function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(AUTH_ADAPTER_|ADAPTER_|NODE_ENV$)/.test(name)),
  )
}

function auth(args: string[], env: Env = {}, program = CLI): Promise<Outcome> {
  const options = { cwd: folder, env: { ...withoutOurs(process.env), ...env } }
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], options, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    )
  })
}

function written(name: string, change: (demo: string) => string): string {
  const file = join(folder, name)
  writeFileSync(file, change(readFileSync(DEMO, 'utf8')))
  return file
}

describe('auth-adapter config validate', () => {
  it('accepts the demo', async () => {
    expect(await auth(['config', 'validate', DEMO])).toEqual({
      code: 0,
      stdout: `${DEMO} is valid. Upstreams: test-auth-server. Clients: client, second-client, device, worker.\n`,
      stderr: '',
    })
  })

  it('takes the file of AUTH_ADAPTER_CONFIG when none is named', async () => {
    expect((await auth(['config', 'validate'], { AUTH_ADAPTER_CONFIG: DEMO })).code).toBe(0)
    expect(await auth(['config', 'validate'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no such file'),
    })
  })

  it('shows each fault with its place and caret, and ends with 2', async () => {
    written('wrong.yaml', (demo) =>
      demo.replace('client_id:', 'cleint_id:').replace('subject: bare', 'subject: baer'),
    )
    const { code, stdout, stderr } = await auth(['config', 'validate', 'wrong.yaml'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr)
      .toBe(`wrong.yaml:26:5: upstreams.test-auth-server.cleint_id: Unknown setting "cleint_id". Did you mean "client_id"?
   26 |     cleint_id: ***
      |     ^
wrong.yaml:29:14: upstreams.test-auth-server.subject: Expected one of bare, prefixed, hashed. Did you mean "bare"?
   29 |     subject: baer
      |              ^

2 faults in the configuration
`)
  })

  it('says the same as JSON', async () => {
    const file = written('wrong-too.yaml', (demo) => demo.replace('subject: bare', 'subject: baer'))
    const { code, stdout, stderr } = await auth(['config', 'validate', file, '--json'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      valid: false,
      faults: [
        {
          path: 'upstreams.test-auth-server.subject',
          message: 'Expected one of bare, prefixed, hashed. Did you mean "bare"?',
          file,
          line: 29,
          column: 14,
          excerpt: '    subject: baer\n             ^',
        },
      ],
    })
    expect(JSON.parse((await auth(['config', 'validate', DEMO, '--json'])).stdout)).toMatchObject({
      valid: true,
    })
  })

  it('applies the rules of production when told so', async () => {
    const { code, stderr } = await auth(['config', 'validate', DEMO], { NODE_ENV: 'production' })
    expect(code).toBe(2)
    for (const setting of ['keys.file', 'keys.sealing_key', 'clients.client.client_secret'])
      expect(stderr).toContain(setting)
  })
})

describe('auth-adapter config print', () => {
  const env = { CLIENT_SECRET: 'canary-client', AUTH_ADAPTER_LISTEN__PORT: '9100' }

  it('A43 secrets on the terminal: masks them, in each form', async () => {
    for (const args of [[], ['--json'], ['--origins'], ['--origins', '--json']]) {
      const { code, stdout } = await auth(['config', 'print', DEMO, ...args], env)
      expect(code).toBe(0)
      expect(stdout).toContain('***')
      expect(stdout).not.toMatch(/canary-client|test-secret|second-secret/)
    }
  })

  it('says where each value comes from', async () => {
    const { stdout } = await auth(['config', 'print', DEMO, '--origins', '--json'], env)
    const settings = JSON.parse(stdout)
    expect(settings['listen.port']).toEqual({
      setting: undefined,
      value: 9100,
      origin: { kind: 'environment', variable: 'AUTH_ADAPTER_LISTEN__PORT' },
    })
    expect(settings['session.idle']).toEqual({ value: '8h', origin: { kind: 'default' } })
    expect(settings['issuer'].origin).toMatchObject({ kind: 'file', line: 11, column: 9 })
    const text = (await auth(['config', 'print', DEMO, '--origins'], env)).stdout
    expect(text).toMatch(/^listen\.port +9100 +AUTH_ADAPTER_LISTEN__PORT$/m)
  })

  it('prints what can be loaded again, with other secrets', async () => {
    const { stdout } = await auth(['config', 'print', DEMO])
    writeFileSync(join(folder, 'again.yaml'), stdout)
    expect((await auth(['config', 'validate', 'again.yaml'])).code).toBe(0)
    expect((await auth(['config', 'print', 'again.yaml'])).stdout).toBe(stdout)
  })
})

describe('auth-adapter', () => {
  it('prints the JSON Schema', async () => {
    expect(JSON.parse((await auth(['config', 'schema'])).stdout)).toMatchObject({
      title: 'auth-adapter.yaml',
      type: 'object',
    })
  })

  it('explains itself and each command', async () => {
    for (const args of [
      [],
      ['start'],
      ['config'],
      ['config', 'validate'],
      ['config', 'print'],
      ['config', 'schema'],
    ]) {
      const { code, stdout } = await auth([...args, '--help'])
      expect(code).toBe(0)
      expect(stdout).toContain(`Usage: ${['auth-adapter', ...args].join(' ')}`)
    }
  })

  it('ends with 2 on a wrong command, and says which was meant', async () => {
    expect(await auth(['confg'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean config?'),
    })
    expect(await auth(['config', 'validat'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean validate?'),
    })
    expect(await auth(['start', '--confg', 'x'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Did you mean --config?'),
    })
    expect((await auth([])).code).toBe(2)
  })
})

describe('auth-adapter start', () => {
  const env = {
    ADAPTER_ADMIN_PORT: '0',
    AUTH_ADAPTER_LISTEN__PORT: '0',
    AUTH_ADAPTER_DATA: join(folder, 'data'),
  }

  it.each([
    ['the command', CLI, ['start']],
    ['main.ts', MAIN, []],
  ] as const)(
    'serves the demo by %s until SIGTERM',
    async (_, program, args) => {
      const child = spawn(process.execPath, [program, ...args, '--config', DEMO], {
        cwd: folder,
        env: { ...withoutOurs(process.env), ...env },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
      try {
        for await (const line of createInterface({ input: child.stdout })) {
          if (JSON.parse(line).event === 'listening') break
        }
      } finally {
        child.kill('SIGTERM')
      }
      expect(await ended).toBe(0)
    },
    30_000,
  )

  it('ends with 2 on faults, before anything is opened', async () => {
    const file = written('no-start.yaml', (demo) => demo.replace('issuer:', 'isuer:'))
    for (const [program, args] of [
      [CLI, ['start']],
      [MAIN, []],
    ] as const) {
      const { code, stdout, stderr } = await auth(
        [...args, '--config', file],
        { AUTH_ADAPTER_DATA: join(folder, 'none') },
        program,
      )
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('Did you mean "issuer"?')
    }
    expect(() => readFileSync(join(folder, 'none', 'adapter.sqlite'))).toThrow('ENOENT')
  }, 30_000)

  it('ends with 1 when it can not start, and says why', async () => {
    writeFileSync(join(folder, 'a-file'), '')
    const { code, stderr } = await auth(['start', '--config', DEMO], {
      ...env,
      AUTH_ADAPTER_DATA: join(folder, 'a-file'),
    })
    expect(code).toBe(1)
    expect(stderr).toContain('auth-adapter can not start: ')
  }, 30_000)
})

// Hooks as operators write them, each in its own process: what they may do, what they may not, and what becomes of those that
// fail.
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { configSchema } from '../config/schema.ts'
import { createLog } from '../../service/log.ts'
import type { HookAnswer } from './hook-messages.ts'
import { createHooks, type Hooks } from './hooks.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'hooks-')))
const opened: Hooks[] = []
afterEach(() => {
  for (const hooks of opened.splice(0)) hooks.close()
})
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

function written(source: string, name = `hook-${(files += 1)}.ts`): string {
  const file = join(folder, name)
  writeFileSync(file, source)
  return file
}

function open(file: string, settings: object = {}) {
  const logLines: string[] = []
  const destination = { write: (line: string) => logLines.push(line) }
  const up = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a', hooks: file, ...settings }
  const { upstreams } = configSchema.parse({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up, plain: { ...up, hooks: undefined } },
    clients: {},
  })
  const hooks = createHooks({ upstreams, log: createLog({ pretty: false, destination }) })
  opened.push(hooks)
  return { hooks, logLines }
}

const input = { upstream: 'up', idToken: { sub: 'ada' }, userinfo: null, claims: { name: 'Ada' } }

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function outcome(source: string, settings?: object): Promise<HookAnswer | string> {
  const { hooks } = open(written(source), settings)
  try {
    await hooks.start()
    return (await hooks.run(input)) as HookAnswer
  } catch (error) {
    return (error as Error).message
  }
}

describe('a hook', () => {
  it('gets what the upstream said and what the rules made of it, and answers with claims', async () => {
    const { hooks } = open(
      written(`
        interface Input { upstream: string, idToken: any, userinfo: any, claims: Record<string, unknown> }
        export async function mapClaims({ upstream, idToken, userinfo, claims }: Input) {
          return { ...claims, seen: [upstream, Object.keys(idToken), userinfo] }
        }`),
    )
    await hooks.start()
    const idToken = { sub: 'ada', nonce: 'n', at_hash: 'h', jti: 'j', roles: ['x'] }
    expect(await hooks.run({ ...input, idToken })).toEqual({
      claims: { name: 'Ada', seen: ['up', ['sub', 'roles'], null] },
    })
    expect(await hooks.run({ ...input, upstream: 'plain' })).toBeUndefined()
  })

  it.each([
    [`({ deny: 'not_in_payroll' })`, { deny: 'not_in_payroll' }],
    [`({ deny: 'Free text, with "quotes"' })`, { deny: 'no_reason' }],
    [`({ deny: false, name: 'Ada' })`, { deny: 'no_reason' }],
    [`undefined`, expect.stringContaining('neither a map of claims nor { deny }')],
    [`null`, expect.stringContaining('neither a map of claims nor { deny }')],
    [`['name']`, expect.stringContaining('neither a map of claims nor { deny }')],
    [`'Ada'`, expect.stringContaining('neither a map of claims nor { deny }')],
    [`Promise.reject(new TypeError('no such team'))`, /TypeError: no such team$/],
    [`({ name: 'x'.repeat(70000) })`, expect.stringContaining('longer than 65536')],
    [`({ name: 1n })`, expect.stringContaining('TypeError')],
  ])('answers %s', async (result, expected) => {
    const answer = await outcome(`export const mapClaims = () => (${result})`)
    if (expected instanceof RegExp) expect(answer).toMatch(expected)
    else expect(answer).toEqual(expected)
  })

  it('what it prints is in the log', async () => {
    const { hooks, logLines } = open(
      written(`export const mapClaims = () => { console.log('seen ' + 1); return {} }`),
    )
    await hooks.start()
    await hooks.run(input)
    await expect.poll(() => logLines.join('')).toContain('"line":"seen 1"')
  })

  it('goes on when the whole group is told to stop, and ends with whoever started it', async () => {
    const { hooks } = open(written('export const mapClaims = () => ({ pid: process.pid })'))
    await hooks.start()
    const pidOf = async () => ((await hooks.run(input)) as { claims: { pid: number } }).claims.pid
    const pid = await pidOf()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pid, signal)
    expect(await pidOf()).toBe(pid)
    hooks.close()
    await expect.poll(() => isRunning(pid)).toBe(false)
  })

  it('may stand behind a symbolic link, as mounted files do', async () => {
    const link = join(folder, 'linked.ts')
    symlinkSync(written('export const mapClaims = () => ({ ok: true })'), link)
    const { hooks } = open(link)
    await hooks.start()
    expect(await hooks.run(input)).toEqual({ claims: { ok: true } })
  })
})

describe('A28 a hook has no way out', () => {
  it.each([
    ['the environment', 'Object.keys(process.env).length', 0],
    ['other files', `process.getBuiltinModule`, undefined],
    ['the network', 'typeof fetch + typeof WebSocket + typeof EventSource', 'undefined'.repeat(3)],
    ['other processes', 'typeof process.kill', 'undefined'],
    ['bindings', 'typeof process.binding', 'undefined'],
    ['our own channel', 'typeof process.send', 'undefined'],
    [
      'code made of texts',
      `(() => { try { return eval('1') } catch (error) { return error.name } })()`,
      'EvalError',
    ],
  ])('to %s', async (_name, expression, seen) => {
    const answer = await outcome(`export const mapClaims = () => ({ seen: ${expression} })`)
    expect(answer).toEqual({ claims: seen === undefined ? {} : { seen } })
  })

  it.each([
    'fs',
    'node:fs',
    'node:fs/promises',
    'node:net',
    'node:http',
    'node:https',
    'node:dns',
    'node:tls',
    'node:dgram',
    'node:child_process',
    'node:worker_threads',
    'node:vm',
    'node:module',
    'node:process',
    'node:inspector',
    'node:sqlite',
    'zod',
    './other.ts',
    'data:text/javascript,export default 1',
    'https://evil.test/x.js',
    'file:///etc/hostname',
  ])('can not import %s', async (name) => {
    const source = `import * as it from ${JSON.stringify(name)}
      export const mapClaims = () => ({ it: typeof it })`
    expect(await outcome(source)).toContain('A hook can import node:')
  })

  it('may compute a hash', async () => {
    const source = `import { createHash } from 'node:crypto'
      export const mapClaims = () => ({ id: createHash('sha256').update('a').digest('hex').length })`
    expect(await outcome(source)).toEqual({ claims: { id: 64 } })
  })

  it('and reads no file, even one beside it', async () => {
    const secret = written('canary', 'sealing.key')
    const source = `import { createHash } from 'node:crypto'
      export const mapClaims = async () => {
        const loaded = await import(${JSON.stringify(`file://${secret}`)}).catch((error) => error.message)
        return { loaded: String(loaded) }
      }`
    expect(JSON.stringify(await outcome(source))).not.toContain('canary')
  })

  it('nor opens a connection to a server that listens', async () => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests += 1
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    await outcome(`export const mapClaims = async () => { await fetch('${url}'); return {} }`)
    await outcome(
      `export const mapClaims = async () => { new Function("return fetch")()('${url}'); return {} }`,
    )
    server.close()
    expect(requests).toBe(0)
  })
})

describe('a hook that can not be used is told of at the start', () => {
  it.each([
    ['is not there', undefined, 'Cannot find module'],
    [
      'exports nothing of that name',
      'export const mapClaim = () => ({})',
      'exports no function mapClaims',
    ],
    ['exports something else', 'export const mapClaims = {}', 'exports no function mapClaims'],
    ['is no TypeScript', 'export const mapClaims = (', 'SyntaxError'],
    ['throws', `throw new Error('not today')`, 'not today'],
    ['ends', 'process.exit(0)', 'it ended'],
  ])('it %s', async (_name, source, says) => {
    const file = source === undefined ? join(folder, 'missing.ts') : written(source)
    const { hooks } = open(file)
    const fault = await hooks.start().catch((error: unknown) => error)
    expect(fault).toMatchObject({ name: 'ConfigError', faults: [{ path: 'upstreams.up.hooks' }] })
    expect((fault as Error).message).toContain(says)
    expect((fault as Error).message).toContain(file)
  })
})

describe('a hook that fails later', () => {
  it('hangs: the sign-in fails after hooks_timeout, and those beside it do not', async () => {
    const { hooks, logLines } = open(
      written(`export const mapClaims = ({ claims }: any) => {
        while (claims.hang) {}
        return claims
      }`),
      { hooks_timeout: '300ms' },
    )
    await hooks.start()
    const claimsOf = (hang: boolean) =>
      hooks.run({ ...input, claims: hang ? { hang } : { name: 1 } })
    const answers = await Promise.allSettled([claimsOf(true), claimsOf(false), claimsOf(false)])
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect((answers[0] as PromiseRejectedResult).reason).toMatchObject({
      message: expect.stringMatching(/no answer within 300 ms$/),
    })
    expect(await claimsOf(false)).toEqual({ claims: { name: 1 } })
    expect(logLines.join('')).toContain('hook.ended')
  })

  it('never answers: the same', async () => {
    const source = 'export const mapClaims = () => new Promise(() => {})'
    expect(await outcome(source, { hooks_timeout: '50ms' })).toMatch(/no answer within 50 ms$/)
  })

  it.each([
    ['ends its process', 'process.exit(1)'],
    ['throws behind our back', `setTimeout(() => { throw new Error('late') }, 1)`],
    ['eats all memory', 'const all = []; for (;;) all.push(new Array(1e6).fill(all.length))'],
  ])('%s: its sign-in fails, the next one goes well', async (_name, work) => {
    const { hooks } = open(
      written(`export const mapClaims = async ({ claims }: any) => {
        if (claims.crash) { ${work}; await new Promise(() => {}) }
        return claims
      }`),
      { hooks_timeout: '3s' },
    )
    await hooks.start()
    await expect(hooks.run({ ...input, claims: { crash: true } })).rejects.toThrow('it ended')
    expect(await hooks.run(input)).toEqual({ claims: { name: 'Ada' } })
  })

  it('its file is gone or broken by then: sign-ins fail, and nothing spins', async () => {
    const file = written('export const mapClaims = () => process.exit(1)')
    const { hooks } = open(file)
    await hooks.start()
    writeFileSync(file, 'broken (')
    await expect(hooks.run(input)).rejects.toThrow('SyntaxError')
    await expect(hooks.run(input)).rejects.toThrow('SyntaxError')
  })

  it('many at once: each has its own answer', async () => {
    const { hooks } = open(written('export const mapClaims = ({ claims }: any) => claims'))
    await hooks.start()
    const answers = await Promise.all(
      Array.from({ length: 150 }, (_, index) => hooks.run({ ...input, claims: { index } })),
    )
    expect(answers).toEqual(answers.map((_, index) => ({ claims: { index } })))
  })
})

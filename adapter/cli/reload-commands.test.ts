// What `config reload` and `swap plan` print, and how they end, by what the running adapter answers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { AdminAnswer } from '../admin/admin-api.ts'
import { createReadiness } from '../admin/health.ts'
import { createAdmin } from '../admin-server.ts'
import { createMemoryDriver } from '../storage/drivers/memory.ts'
import { listen, type Listening } from '../../service/listen.ts'
import { reloadConfig } from './config-reload.ts'
import { printSwapPlan } from './swap-plan.ts'

const TOKEN = 'a-token-of-thirty-two-characters'
const LISTEN = { host: '127.0.0.1', port: 0, portSetting: 'PORT', graceMs: 100 }

const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-reload-cli-'))
const file = join(folder, 'auth-adapter.yaml')
const driver = createMemoryDriver({})
const asked: URLSearchParams[] = []
let admin: Listening
let answer: AdminAnswer
let out: string
let err: string

beforeAll(async () => {
  const route = async (_body: unknown, parameters: URLSearchParams) => {
    asked.push(parameters)
    return answer
  }
  const routes = { 'POST /api/config/reload': route, 'GET /api/swap-plan': route }
  const api = { token: TOKEN, routes, host: '127.0.0.1' }
  admin = await listen(createAdmin({ driver, readiness: createReadiness(), api }), LISTEN)
})
afterAll(async () => {
  await admin.close()
  await driver.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => {
  writeConfig({})
  out = ''
  err = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true))
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true))
})
afterEach(() => void vi.restoreAllMocks())

function writeConfig(settings: object): void {
  const up = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a', client_secret: 'hidden-1' }
  const base = {
    issuer: 'http://127.0.0.1:9000',
    admin: { port: admin.port },
    upstreams: { up },
    clients: {},
  }
  writeFileSync(file, JSON.stringify({ ...base, ...settings }, null, 2))
}

const env = { AUTH_ADAPTER_ADMIN_TOKEN: TOKEN }
const answers = (status: number, body: object) => void (answer = { status, body })

describe(reloadConfig, () => {
  const reload = (isJson = false) => reloadConfig({ file, env, isJson })

  it('prints what was taken', async () => {
    const changed = ['login.ttl: "10m" → "5m"']
    answers(200, { outcome: 'taken', added: ['upstreams.b'], removed: ['clients.c'], changed })
    expect(await reload()).toBe(0)
    expect(out).toBe(
      'The configuration was taken over.\n  + upstreams.b\n  - clients.c\n  ~ login.ttl: "10m" → "5m"\n',
    )
  })

  it('says that nothing changed', async () => {
    answers(200, { outcome: 'unchanged' })
    expect([await reload(), out]).toEqual([0, expect.stringMatching(/^Nothing changed/)])
  })

  it.each([
    [
      422,
      {
        outcome: 'rejected',
        faults: [{ path: 'a.b', message: 'Wrong', file: '/x.yaml', line: 3 }],
      },
      /\/x\.yaml:3: a\.b: Wrong[\s\S]*keeps the configuration it has/,
    ],
    [
      409,
      { outcome: 'needs_restart', settings: ['issuer'], message: 'issuer can not change' },
      /^issuer can not change\.\n$/,
    ],
    [503, { error: 'not_ready', error_description: 'Nothing is in force yet' }, /in force yet/],
  ])('ends with 1 on %i, and says why', async (status, body, why) => {
    answers(status, body)
    expect([await reload(), out]).toEqual([1, ''])
    expect(err).toMatch(why)
    expect(await reload(true)).toBe(1)
    expect(JSON.parse(out)).toEqual(body)
  })

  it('a file that can not be read here: its faults, and 1', async () => {
    writeConfig({ upstreams: { up: { kind: 'oidc', client_secret: 'hidden-2' } } })
    expect(await reload()).toBe(1)
    expect(err).toMatch(/auth-adapter\.yaml:\d+:\d+: upstreams\.up\b/)
    expect(err).not.toMatch(/hidden/)
    expect(await reload(true)).toBe(1)
    expect(JSON.parse(out)).toMatchObject({ outcome: 'rejected' })
  })

  it('no adapter runs: one sentence, and 1', async () => {
    writeConfig({ admin: { port: 1 } })
    expect(await reload()).toBe(1)
    expect(err).toMatch(/^Cannot reach the adapter at http:\/\/127\.0\.0\.1:1 .*\n$/)
  })
})

describe(printSwapPlan, () => {
  const plan = (to: string, isJson = false) => printSwapPlan({ to, file, env, isJson })
  const row = (sessions: number, subs: object) => ({
    upstream: 'up',
    on_change: 'relogin',
    sessions,
    grants: 7,
    choices: {},
    subs: { kept: 0, depends: 0, changed: 0, first_changed: [], ...subs },
  })

  it('prints a row for each upstream, and whose sub would change', async () => {
    const subs = { changed: 21, first_changed: ['ada', 'bob'], kept: 2, depends: 1 }
    answers(200, { to: 'next', upstreams: [row(24, subs), { ...row(0, {}), upstream: 'empty' }] })
    expect(await plan('next')).toBe(0)
    expect(out).toMatch(
      /^up +relogin +24 sessions, 7 grants live on +24 sessions sign in again +24 sessions, 7 grants end$/m,
    )
    expect(out).toContain(
      'up: 21 of its people would have another sub at next: ada, bob, and 19 more',
    )
    expect(out).toContain('up: 1 of its people keep their sub if next has the same subjects')
    expect(out).toContain('up: 2 of its people keep their sub\n')
    expect(out).not.toContain('empty')
  })

  it('says when it concerns nobody', async () => {
    answers(200, { to: 'next', upstreams: [row(0, {})] })
    expect([await plan('next'), out]).toEqual([
      0,
      'A move to next concerns nobody who is signed in now.\n',
    ])
  })

  it('sends the settings of the file along where it has the upstream, and no secret', async () => {
    answers(200, { to: 'up', upstreams: [] })
    await plan('up')
    expect(Object.fromEntries(asked.at(-1) ?? [])).toEqual({
      to: 'up',
      issuer: 'https://up.test',
      subject: 'prefixed',
      epoch: expect.stringMatching(/^[\w-]{16}$/) as string,
    })
    await plan('not-there')
    expect(Object.fromEntries(asked.at(-1) ?? [])).toEqual({ to: 'not-there' })
  })

  it.each([
    [404, 2],
    [503, 1],
  ])('answered with %i it ends with %i and the reason', async (status, code) => {
    answers(status, { error: 'x', error_description: 'The reason' })
    expect([await plan('next'), err]).toEqual([code, 'The reason\n'])
    expect([await plan('next', true), JSON.parse(out)]).toEqual([code, answer.body])
  })

  it('a configuration that can not be used ends with 2', async () => {
    writeConfig({ issuer: 'not a url' })
    expect(await plan('next')).toBe(2)
    expect(err).toContain('issuer')
  })
})

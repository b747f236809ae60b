// What hooks were seen to get out by, tried against a server that listens: each of these once reached it, or a process.
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import { createHookRunner } from './hook-runner.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ways-out-')))
let server: Server
let connections = 0
beforeAll(async () => {
  server = createServer((_request, response) => response.end()).on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})
let files = 0

async function outcome(source: string, name = `${(files += 1)}.mjs`, logLines: string[] = []) {
  const file = join(folder, name)
  writeFileSync(file, source)
  const destination = { write: (line: string) => logLines.push(line) }
  const runner = createHookRunner(file, createLog({ pretty: false, destination }))
  try {
    await runner.start()
    return await runner.run({ upstream: 'up', idToken: {}, userinfo: null, claims: {} }, 4000)
  } catch (error) {
    return (error as Error).message
  } finally {
    runner.close()
  }
}

/** A hook that runs `code`, where `port` is the server's, and says what came of it half a second later. */
const trying = (code: string) => `
  const port = ${(server.address() as AddressInfo).port}
  export async function mapClaims() {
    let seen = 'nothing'
    try { seen = String(await (async () => { ${code} })()) } catch (error) { seen = error.name }
    await new Promise((resolve) => setTimeout(resolve, 500))
    return { seen }
  }`

const BY_DISPATCHER = `
  const agent = globalThis[Symbol.for('undici.globalDispatcher.1')]
  agent.dispatch({ origin: 'http://127.0.0.1:' + port, path: '/', method: 'GET' }, {
    onConnect() {}, onHeaders() { return true }, onData() { return true }, onComplete() {}, onError() {},
  })`

describe('A28 a hook has no way out', () => {
  it.each([
    ['a socket made of stdout', 'new process.stdout.constructor().connect(port, "127.0.0.1")'],
    [
      'a socket made of the console',
      'new console._stdout.constructor().connect(port, "127.0.0.1")',
    ],
    [
      'a socket among the handles',
      `for (const { constructor } of process._getActiveHandles())
         if (constructor.name === 'Socket') new constructor().connect(port, '127.0.0.1')`,
    ],
    ['the dispatcher that Request leaves', `typeof Request; ${BY_DISPATCHER}`],
    [
      'the dispatcher that WebAssembly leaves',
      `await WebAssembly.compileStreaming(1).catch(() => {}); ${BY_DISPATCHER}`,
    ],
  ])('by %s', async (_name, code) => {
    const before = connections
    expect(await outcome(trying(code))).toEqual({ seen: 'TypeError' })
    expect(connections).toBe(before)
  })

  it.each(['_kill', '_debugProcess', 'ppid', 'constructor.constructor.prototype.pid'])(
    'to other processes by process.%s',
    async (path) => {
      const answer = await outcome(trying(`return typeof process.${path}`))
      expect(answer).toEqual({ seen: 'undefined' })
    },
  )

  it('by methods that it replaces: nothing of ours calls them', async () => {
    const code = `
      const seen = []
      const emitter = Object.getPrototypeOf(Object.getPrototypeOf(Object.getPrototypeOf(console._stdout)))
      const names = Object.getOwnPropertyNames(emitter).filter((name) => typeof emitter[name] === 'function')
      for (const name of names) if (name !== 'constructor')
        emitter[name] = function () { if (this !== console._stdout) seen.push(this?.constructor?.name) }
      for (const name of ['toJSON', 'handle', 'pendingHandle'])
        try { Object.defineProperty(Object.prototype, name, { get() { seen.push(name) } }) } catch {}
      try { JSON.stringify = () => '' } catch {}
      console.log('line')
      await new Promise((resolve) => setTimeout(resolve, 100))
      globalThis.times = (globalThis.times ?? 0) + 1
      return JSON.stringify(seen)`
    expect(await outcome(trying(code))).toEqual({ seen: '[]' })
  })

  it.each(['cjs', 'cts', 'js', 'ts'])('by CommonJS, which has the loader: .%s', async (ending) => {
    const source = `
      module.constructor.registerHooks({ resolve: () => ({ url: 'node:net', format: 'builtin', shortCircuit: true }) })
      exports.mapClaims = () => ({ net: typeof require('node:net').connect })`
    expect(await outcome(source, `common.${ending}`)).toMatch(/ReferenceError: (module|exports) is/)
  })

  it.each(['sealing.key', 'token', 'hook.json'])(
    'A43 by a file that is no program, whose content an error would tell: %s',
    async (name) => {
      const logLines: string[] = []
      const secret = 'Zm9vYmFyYmF6cXV4'
      expect(await outcome(secret, name, logLines)).toMatch(/Expected a \.ts or \.js file$/)
      expect(logLines.join('')).not.toContain(secret)
    },
  )

  it('A30 by a line without an end, which the adapter would keep', async () => {
    const before = process.memoryUsage.rss()
    const answer = await outcome(trying(`for (;;) console._stdout.write('x'.repeat(1e6))`))
    expect(answer).toEqual({ seen: 'Error' })
    expect(process.memoryUsage.rss() - before).toBeLessThan(150e6)
  })
})

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, type RequestListener } from 'node:http'
import { connect as connectPlain, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { listen, ListenError, type Listening } from './listen.ts'
import { createLog } from './log.ts'
import { ask, serve } from './serve-for-test.ts'
import { TlsFilesError } from './tls-files.ts'

const ok: RequestListener = (_request, response) => void response.end('ok')
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function open(server: Listening): Promise<Socket> {
  const socket = connectPlain(server.port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

describe(listen, () => {
  it('takes a free port for 0 and says which', async () => {
    const server = await serve(ok)
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    expect((await ask(server)).text).toBe('ok')
    await server.close()
  })

  it('names the taken port and the setting that moves it', async () => {
    const server = await serve(ok)
    const second = serve(ok, { port: server.port, portSetting: 'ADAPTER_PORT' })
    await expect(second).rejects.toThrow(ListenError)
    await expect(second).rejects.toThrow(
      `Port ${server.port} on 127.0.0.1 is already in use. Choose another with ADAPTER_PORT.`,
    )
    await server.close()
  })

  it('lets a running request finish, takes no new one, and closes idle connections at once', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const server = await serve((request, response) => {
      const ready = request.url === '/slow' ? release : Promise.resolve()
      void ready.then(() => response.end('done'))
    })
    const agent = new Agent({ keepAlive: true })
    await ask(server, '/', { agent })
    const slow = ask(server, '/slow')
    await pause(50)
    const closed = server.close()
    await expect(ask(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    resolve()
    expect((await slow).text).toBe('done')
    const before = performance.now()
    await closed
    expect(performance.now() - before).toBeLessThan(1000)
    agent.destroy()
  })

  it('A30 what a handler stops reading does not hold up the next request of the connection', async () => {
    const server = await serve(async (request, response) => {
      for await (const _ of request.iterator({ destroyOnReturn: false })) break
      response.end('enough')
    })
    const socket = await open(server)
    const head = 'POST / HTTP/1.1\r\nhost: 127.0.0.1\r\n'
    socket.write(`${head}content-length: 1000000\r\n\r\n${'x'.repeat(1_000_000)}`)
    socket.write(`${head}content-length: 1\r\nconnection: close\r\n\r\nx`)
    let answers = ''
    socket.on('data', (data: Buffer) => (answers += data.toString()))
    await Promise.race([once(socket, 'end'), pause(5000)])
    expect(answers.match(/enough/g)).toHaveLength(2)
    socket.destroy()
    await server.close()
  })

  it('closes a keep-alive connection whose response ends during the close', async () => {
    const server = await serve(
      (_request, response) => void setTimeout(() => response.end('done'), 200),
    )
    const agent = new Agent({ keepAlive: true })
    const slow = ask(server, '/', { agent })
    await pause(50)
    const before = performance.now()
    await Promise.all([server.close(), slow])
    expect(performance.now() - before).toBeLessThan(2000)
    agent.destroy()
  })

  it('F51 drained, it serves on, and each answer ends its connection, also of what ran before', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const server = await serve((request, response) => {
      const ready = request.url === '/slow' ? release : Promise.resolve()
      void ready.then(() => response.end('done'))
    })
    const agent = new Agent({ keepAlive: true })
    expect((await ask(server, '/', { agent })).headers.connection).toBe('keep-alive')
    const slow = ask(server, '/slow', { agent })
    await pause(50)
    server.drain()
    resolve()
    expect((await slow).headers.connection).toBe('close')
    expect(await ask(server, '/', { agent })).toMatchObject({
      text: 'done',
      headers: { connection: 'close' },
    })
    await server.close()
    agent.destroy()
  })

  it('F51 an answer that ends during the close ends its connection', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>()
    const server = await serve(
      (_request, response) => void release.then(() => response.end('done')),
    )
    const agent = new Agent({ keepAlive: true })
    const slow = ask(server, '/', { agent })
    await pause(50)
    const closed = server.close()
    resolve()
    expect((await slow).headers.connection).toBe('close')
    await closed
    agent.destroy()
  })

  it('cuts off what runs longer than the grace period', async () => {
    const server = await serve(() => {}, { graceMs: 100 })
    const stuck = expect(ask(server)).rejects.toThrow()
    await pause(50)
    await server.close()
    await stuck
  })

  it('cuts off upgraded connections after the grace period', async () => {
    const server = await serve(ok, { graceMs: 100 })
    server.server.on(
      'upgrade',
      (_request, socket) =>
        void socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
        ),
    )
    const socket = await open(server)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    await once(socket, 'data')
    await Promise.all([server.close(), once(socket, 'close')])
  })

  it('closes once, however often it is asked', async () => {
    const server = await serve(ok)
    await Promise.all([server.close(), server.close()])
    await server.close()
  })

  it('has limits on headers and on the time they may take', async () => {
    const { server, close } = await serve(ok)
    expect(server).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 65_000,
      maxConnections: 10_000,
    })
    await close()
  })
})

describe('listen with certificate files', () => {
  let folder: string
  let files: { cert: string; key: string }
  const path = (name: string) => join(folder, name)
  const makePair = (name: string) =>
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=IP:127.0.0.1',
        '-keyout',
        path(`${name}.key`),
        '-out',
        path(`${name}.pem`),
      ],
      { stdio: 'ignore' },
    )
  const use = async (name: string) => {
    await copyFile(path(`${name}.pem`), files.cert)
    await copyFile(path(`${name}.key`), files.key)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'listen-test-'))
    files = { cert: path('cert.pem'), key: path('key.pem') }
    makePair('first')
    makePair('second')
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  async function peer(server: Listening, version?: SecureVersion, ciphers?: string) {
    const only = version && { minVersion: version, maxVersion: version }
    const socket = connectTls({
      host: '127.0.0.1',
      port: server.port,
      rejectUnauthorized: false,
      ...only,
      ...(ciphers && { ciphers }),
    })
    try {
      await once(socket, 'secureConnect')
      return { name: socket.getPeerCertificate().subject.CN, protocol: socket.getProtocol() }
    } finally {
      socket.destroy()
    }
  }

  function watched() {
    const lines: string[] = []
    return { lines, log: createLog({ destination: { write: (line) => void lines.push(line) } }) }
  }

  it('serves https with TLS 1.2 and 1.3 and nothing older or weaker', async () => {
    await use('first')
    const server = await serve(ok, { tls: files })
    expect(server.url).toBe(`https://127.0.0.1:${server.port}`)
    expect(await peer(server)).toEqual({ name: 'first', protocol: 'TLSv1.3' })
    expect(await peer(server, 'TLSv1.2')).toEqual({ name: 'first', protocol: 'TLSv1.2' })
    await expect(peer(server, 'TLSv1.1', 'ALL@SECLEVEL=0')).rejects.toThrow()
    await expect(peer(server, 'TLSv1.2', 'ECDHE-ECDSA-AES128-SHA')).rejects.toThrow()
    await server.close()
  })

  it('serves a new certificate when the files change', async () => {
    await use('first')
    const { log, lines } = watched()
    const server = await serve(ok, { tls: files, log, tlsCheckMs: 20 })
    await use('second')
    await vi.waitFor(async () => expect((await peer(server)).name).toBe('second'), 5000)
    expect(lines.at(-1)).toContain('tls.reloaded')
    await server.close()
  })

  it('keeps the certificate it has when the new files can not be used, says so, and takes them once they can', async () => {
    await use('first')
    const { log, lines } = watched()
    const server = await serve(ok, { tls: files, log, tlsCheckMs: 20 })
    await pause(60)
    for (const spoil of [
      () => writeFile(files.cert, 'not a certificate'),
      () => copyFile(path('second.pem'), files.cert),
      () => rm(files.key),
    ]) {
      lines.length = 0
      await spoil()
      await vi.waitFor(() => expect(lines.join('')).toContain('tls.reload_failed'), 5000)
      expect((await peer(server)).name).toBe('first')
    }
    await use('second')
    await vi.waitFor(async () => expect((await peer(server)).name).toBe('second'), 5000)
    expect(lines.join('')).not.toContain('PRIVATE KEY')
    await server.close()
  })

  it('refuses to start with files that can not be used, naming them', async () => {
    await use('first')
    await copyFile(path('second.key'), files.key)
    const started = serve(ok, { tls: files })
    await expect(started).rejects.toThrow(TlsFilesError)
    await expect(started).rejects.toThrow(files.key)
  })
})

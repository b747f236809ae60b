import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { IncomingMessage } from 'node:http'
import { io } from 'socket.io-client'
import type { Socket } from 'socket.io-client'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { listen } from '../../../service/listen.ts'
import type { Listening } from '../../../service/listen.ts'
import { createLog } from '../../../service/log.ts'
import type { Log } from '../../../service/log.ts'
import { createLoginEnds } from '../../authentication/login-ends.ts'
import type { LoginEnds } from '../../authentication/login-ends.ts'
import type { Principal } from '../../authentication/principal.ts'
import { createLogRing } from '../log-ring.ts'
import { createLogView } from '../log-view.ts'
import type { LogPart } from '../log-view.ts'
import { createSockets } from './sockets.ts'
import type { Sockets, SocketsOptions } from './sockets.ts'

const CHECK_MS = 40

let listening: Listening
let sockets: Sockets
let detach: () => void
let log: Log
let written: string
let loginEnds: LoginEnds
/** By cookie. */
let people: Map<string, Principal | 'store down'>
let opened: Socket[]

const person = (subject: string, change: Partial<Principal> = {}): Principal => ({
  via: 'cookie',
  subject,
  claims: { sub: subject },
  accessToken: 'secret-of-the-token',
  expiresAt: Date.now() + 300_000,
  clients: ['client'],
  loginKey: `login of ${subject}`,
  ...change,
})

/** Called when a sign-in was found, before that is said. */
let asked: (() => void) | undefined
/** Until this is over nothing is said. */
let pause: Promise<void> | undefined

async function authenticate({ headers }: IncomingMessage): Promise<Principal | undefined> {
  const found = people.get(headers.cookie ?? headers.authorization ?? '')
  if (found === 'store down') throw new Error('The store is down')
  asked?.()
  await pause
  return found
}

async function start(change: Partial<SocketsOptions> = {}): Promise<void> {
  const ring = createLogRing()
  written = ''
  log = createLog({
    pretty: false,
    destination: { write: (line) => void (written += line) },
    copyTo: ring,
  })
  listening = await listen((_req, res) => void res.writeHead(404).end('an ordinary answer'), {
    host: '127.0.0.1',
    port: 0,
    portSetting: 'TEST_PORT',
    graceMs: 0,
  })
  sockets = createSockets({
    url: listening.url,
    ring,
    view: createLogView(ring),
    loginEnds,
    authenticate,
    log,
    now: Date.now,
    checkEveryMs: CHECK_MS,
    ...change,
  })
  detach = sockets.attach(listening.server)
}

beforeEach(async () => {
  loginEnds = createLoginEnds()
  people = new Map([
    ['ada', person('ada')],
    ['bob', person('bob')],
  ])
  opened = []
  asked = undefined
  pause = undefined
  await start()
})
afterEach(async () => {
  opened.forEach((socket) => socket.disconnect())
  await sockets.close()
  await listening.close()
})

function open(
  cookie: string | undefined,
  headers: Record<string, string> = { origin: listening.url },
  auth = {},
): Socket {
  const socket = io(listening.url, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth,
    extraHeaders: { ...headers, ...(cookie === undefined ? {} : { cookie }) },
  })
  opened.push(socket)
  return socket
}

/** A client that says what it likes, and what comes back from now on. */
async function openRaw(cookie: string) {
  const url = `${listening.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`
  const headers = { origin: listening.url, cookie }
  const raw = new WebSocket(url, { headers } as unknown as string[])
  const messages: string[] = []
  raw.addEventListener('message', ({ data }) => messages.push(String(data)))
  const closed = once(raw, 'close')
  await vi.waitFor(() => expect(messages).toHaveLength(1))
  return { raw, messages, closed }
}
const connections = () =>
  new Promise((resolve) => listening.server.getConnections((_error, count) => resolve(count)))
const JOIN = '40'
const LEAVE = '41'

const connected = (socket: Socket) =>
  new Promise<void>((resolve, reject) =>
    socket.once('connect', resolve).once('connect_error', reject),
  )
const failed = (socket: Socket) =>
  new Promise<string>((resolve, reject) => {
    socket.once('connect_error', (error) => resolve(error.message))
    socket.once('connect', () => reject(new Error('It connected')))
  })
const ended = (socket: Socket) =>
  new Promise<string>((resolve) => socket.once('disconnect', (reason) => resolve(reason)))

/** Events of the lines that a socket gets from now on. */
function seen(socket: Socket): string[] {
  const events: string[] = []
  socket.on('lines', ({ lines }: LogPart) =>
    events.push(...lines.map(({ line }) => String(line['event']))),
  )
  return events
}

describe('a socket of the live log', () => {
  it('gets the lines of its person as they are written, what was there before included', async () => {
    log.info('before', { sub: 'ada' })
    const socket = open('ada')
    const events = seen(socket)
    await connected(socket)
    log.info('live', { sub: 'ada' })
    log.info('of another', { sub: 'bob' })
    log.info('of nobody')
    await vi.waitFor(() => expect(events).toEqual(['before', 'socket.opened', 'live']))
  })

  it('gets everything for an administrator', async () => {
    people.set('boss', person('boss', { claims: { authorities: ['ROLE_ADMIN'] } }))
    const socket = open('boss')
    const events = seen(socket)
    await connected(socket)
    log.info('of another', { sub: 'bob' })
    log.info('of nobody')
    await vi.waitFor(() => expect(events).toEqual(['socket.opened', 'of another', 'of nobody']))
  })

  it('goes on where it was when it comes back', async () => {
    const first = open('ada')
    const parts: LogPart[] = []
    first.on('lines', (part: LogPart) => parts.push(part))
    await connected(first)
    await vi.waitFor(() => expect(parts).toHaveLength(1))
    first.disconnect()
    log.info('meanwhile', { sub: 'ada' })
    const second = open('ada', undefined, { since: parts[0]?.next })
    const events = seen(second)
    await connected(second)
    const missed = ['meanwhile', 'socket.closed', 'socket.opened']
    await vi.waitFor(() => expect(events.toSorted()).toEqual(missed))
  })

  it('is refused to nobody, and told so', async () => {
    expect(await failed(open(undefined, { origin: listening.url }))).toBe('unauthorized')
    expect(await failed(open('forged'))).toBe('unauthorized')
    people.set('ada', 'store down')
    expect(await failed(open('ada'))).toBe('unavailable')
    expect(written).toContain('socket.unchecked')
  })

  it('is open to a program that brings a token and has no origin', async () => {
    people.set('Bearer good', person('ada', { via: 'bearer' }))
    await connected(open(undefined, { authorization: 'Bearer good' }))
  })

  it('ends with its sign-in, and no other does', async () => {
    const [ada, again, bob] = [open('ada'), open('ada'), open('bob')]
    await Promise.all([ada, again, bob].map(connected))
    const ends = Promise.all([ended(ada), ended(again)])
    loginEnds.ended('login of ada')
    expect(await ends).toEqual(['io server disconnect', 'io server disconnect'])
    expect(bob.connected).toBe(true)
    // Its cookies may be good for some minutes yet.
    expect(await failed(open('ada'))).toBe('unauthorized')
    expect(written).toContain('"reason":"login_ended"')
  })

  it('does not stay when the sign-in ends while it is let in, whenever that is', async () => {
    for (let steps = 0; steps < 12; steps++) {
      people.set('ada', person('ada'))
      const socket = open('ada')
      const over = Promise.race([ended(socket), failed(socket).catch(() => ended(socket))])
      asked = () => {
        let wait = Promise.resolve()
        for (let step = 0; step < steps; step++) wait = wait.then(() => {})
        void wait.then(() => {
          people.delete('ada')
          loginEnds.ended('login of ada')
        })
      }
      expect(await over).toMatch(/^(io server disconnect|unauthorized)$/)
    }
  })

  it('is asked for its sign-in again and again, and ends when there is none', async () => {
    const socket = open('ada')
    await connected(socket)
    await new Promise((resolve) => setTimeout(resolve, 3 * CHECK_MS))
    expect(socket.connected).toBe(true)
    const end = ended(socket)
    people.delete('ada')
    expect(await end).toBe('io server disconnect')
    expect(written).toContain('"reason":"unauthorized"')
  })

  it.each([
    ['somebody else', () => person('bob', { loginKey: 'login of ada' })],
    ['another sign-in of the same person', () => person('ada', { loginKey: 'another' })],
  ])('ends when its cookies become those of %s', async (_name, change) => {
    const socket = open('ada')
    await connected(socket)
    people.set('ada', change())
    expect(await ended(socket)).toBe('io server disconnect')
  })

  it('ends when nobody can say whether its sign-in is good', async () => {
    const socket = open('ada')
    await connected(socket)
    people.set('ada', 'store down')
    expect(await ended(socket)).toBe('io server disconnect')
  })

  it('is asked when its token expires, long before the next check is due', async () => {
    await sockets.close()
    await listening.close()
    await start({ checkEveryMs: 60_000 })
    people.set('ada', person('ada', { expiresAt: Date.now() + 150 }))
    const socket = open('ada')
    await connected(socket)
    const end = ended(socket)
    people.delete('ada')
    expect(await end).toBe('io server disconnect')
  })

  it('stays open past the expiry when the sign-in was refreshed meanwhile', async () => {
    people.set('ada', person('ada', { expiresAt: Date.now() + 50 }))
    const socket = open('ada')
    await connected(socket)
    people.set('ada', person('ada'))
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(socket.connected).toBe(true)
  })

  it('sees as an administrator from the check that finds the role', async () => {
    const socket = open('ada')
    const events = seen(socket)
    await connected(socket)
    people.set('ada', person('ada', { claims: { authorities: ['ROLE_ADMIN'] } }))
    await new Promise((resolve) => setTimeout(resolve, 3 * CHECK_MS))
    log.info('of nobody')
    await vi.waitFor(() => expect(events).toContain('of nobody'))
  })

  it('ends when its client talks: there is nothing to say', async () => {
    const socket = open('ada')
    await connected(socket)
    socket.emit('lines', { everything: true })
    expect(await ended(socket)).toBe('io server disconnect')
  })

  it('ends for a message larger than any that a client has', async () => {
    const socket = open('ada')
    await connected(socket)
    socket.emit('x', 'x'.repeat(8_000))
    expect(await ended(socket)).toBe('transport close')
  })

  it('is one of twenty of a sign-in at most', async () => {
    await Promise.all(Array.from({ length: 20 }, () => connected(open('ada'))))
    expect(await failed(open('ada'))).toBe('too_many')
    await connected(open('bob'))
  })

  it('counts for nothing when its client was gone before its sign-in was found', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    let questions = 0
    asked = () => (questions += 1)
    pause = promise
    const clients = await Promise.all(Array.from({ length: 20 }, () => openRaw('ada')))
    for (const { raw } of clients) raw.send(JOIN)
    await vi.waitFor(() => expect(questions).toBe(20))
    for (const { raw } of clients) raw.close()
    await vi.waitFor(async () => expect(await connections()).toBe(0))
    resolve()
    await connected(open('ada'))
  })

  it('is closed when its client says that it leaves, and keeps the connection', async () => {
    const { raw, messages, closed } = await openRaw('ada')
    raw.send(JOIN)
    await vi.waitFor(() => expect(messages[1]).toMatch(/^40\{"sid"/))
    raw.send(LEAVE)
    await closed
    expect(written).toContain('"reason":"client namespace disconnect"')
  })

  it('asks for its sign-in once when its client joins again and again', async () => {
    let questions = 0
    asked = () => (questions += 1)
    const { raw, closed } = await openRaw('ada')
    for (let n = 0; n < 50; n++) raw.send(JOIN)
    await closed
    expect(questions).toBe(1)
    expect(written).not.toContain('socket.opened')
  })

  it('writes who and why, and nothing secret', async () => {
    const socket = open('ada')
    await connected(socket)
    const end = ended(socket)
    loginEnds.ended('login of ada')
    await end
    expect(written).toContain('"event":"socket.opened"')
    expect(written).toContain('"sub":"ada"')
    expect(written).not.toContain('secret-of-the-token')
  })
})

describe('an upgrade', () => {
  const upgrade = async (
    path: string,
    headers: Record<string, string | undefined>,
  ): Promise<string> => {
    const lines = Object.entries({
      Host: new URL(listening.url).host,
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
    const socket = connectTcp(listening.port, '127.0.0.1')
    await once(socket, 'connect')
    socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    const [first] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return first.toString('latin1').split('\r\n', 1)[0] ?? ''
  }
  const PATH = '/socket.io/?EIO=4&transport=websocket'

  it('is taken from a page of this app', async () => {
    expect(await upgrade(PATH, { Origin: listening.url, Cookie: 'ada' })).toContain('101')
  })

  it.each([
    ['another origin', { Origin: 'https://evil.example' }],
    ['another port of this host', { Origin: 'http://127.0.0.1:1' }],
    ['another name of this host', { Origin: 'http://localhost' }],
    ['no origin that it would tell', { Origin: 'null' }],
    ['nothing that says where it is from', { Origin: undefined }],
    ['a page that the browser knows is another’s', { 'Sec-Fetch-Site': 'same-site' }],
  ])('is refused from %s, cookies or not', async (_name, headers) => {
    const Origin = listening.url
    expect(await upgrade(PATH, { Origin, Cookie: 'ada', ...headers })).toBe(
      'HTTP/1.1 403 Forbidden',
    )
    expect(written).not.toContain('socket.opened')
  })

  it('that is refused holds no connection, whatever its client does', async () => {
    const client = connectTcp({ port: listening.port, host: '127.0.0.1', allowHalfOpen: true })
    await once(client, 'connect')
    client.write(
      `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://evil.example\r\n\r\n`,
    )
    expect(String(await once(client, 'data'))).toContain('403')
    await vi.waitFor(async () => expect(await connections()).toBe(0))
    client.destroy()
  })

  it.each(['/', '/socket.io', '/socket.io//', '/Socket.io/', '/x/../socket.io/', '/socket.io/%2e'])(
    'is an ordinary request at %s',
    async (path) => {
      expect(await upgrade(path, { Origin: listening.url, Cookie: 'ada' })).toContain('404')
    },
  )

  it('is not to be had by polling', async () => {
    const answer = await fetch(`${listening.url}/socket.io/?EIO=4&transport=polling`)
    expect([answer.status, await answer.text()]).toEqual([404, 'an ordinary answer'])
    expect(
      await upgrade('/socket.io/?EIO=4&transport=polling', { Origin: listening.url }),
    ).toContain('400')
  })

  it('survives clients that break off in the middle of it', async () => {
    for (let n = 0; n < 20; n++) {
      const socket = connectTcp(listening.port, '127.0.0.1')
      await once(socket, 'connect')
      socket.write(
        `GET ${PATH} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nOrigin: ${n % 2 ? 'https://evil.example' : listening.url}\r\n\r\n`,
      )
      socket.resetAndDestroy()
    }
    await connected(open('ada'))
  })
})

describe('the end of the app', () => {
  it('breaks the line, so that clients come back to who serves next', async () => {
    const socket = open('ada')
    await connected(socket)
    const end = ended(socket)
    detach()
    expect(await end).toBe('transport close')
    const answer = await failed(open('ada'))
    expect(answer).toBe('websocket error')
  })

  it('does not hold up the port', async () => {
    const socket = open('ada')
    await connected(socket)
    detach()
    const startedAt = performance.now()
    await listening.close()
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })
})

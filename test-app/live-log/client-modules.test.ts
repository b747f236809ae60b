// The modules of the pages, run here with what a browser gives them. What they do in one is in e2e/live-log.spec.ts.
import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, it, vi } from 'vitest'

interface Client {
  request(path: string, options?: RequestInit): Promise<Response>
  graphql(query: string, variables?: object): Promise<unknown>
  refresh(): Promise<string>
}
type Parts = Record<string, unknown>
interface LogLines {
  fieldsOf(line: object): string
  placeOf(ids: readonly number[], id: number): number | undefined
  newestOf<T>(entries: readonly T[]): readonly T[]
}

const load = async <T>(name: string) =>
  (await import(new URL(`../static/js/${name}`, import.meta.url).href)) as T
const { createClient, loginPath } = await load<{
  createClient(parts: Parts): Client
  loginPath(at: { pathname: string; search: string }): string
}>('client.js')
const { openSocket } = await load<{ openSocket(parts: Parts): { close(): void } }>('socket.js')
const { fieldsOf, newestOf, placeOf } = await load<LogLines>('log-lines.js')

const answer = (status: number, body: unknown = {}) => Response.json(body, { status })
const refreshAnswer = (refresh: object) => answer(200, { data: { refresh } })
const REFRESHED = { __typename: 'SignedIn', code: 'SIGNED_IN' }
const REFUSED = { __typename: 'Refusal', code: 'REFRESH_REFUSED' }

let isGood: boolean
let refreshes: number
let refreshed: () => Response | Promise<Response>
let left: number
let asked: string[]
let client: Client

beforeEach(() => {
  isGood = false
  refreshes = 0
  left = 0
  asked = []
  refreshed = () => {
    isGood = true
    return refreshAnswer(REFRESHED)
  }
  client = createClient({
    async fetch(path: string, { body }: RequestInit = {}) {
      await turn()
      if (typeof body === 'string' && body.includes('refresh {')) {
        refreshes += 1
        return refreshed()
      }
      asked.push(path)
      return isGood ? answer(200, { data: { me: 'ada' } }) : answer(401)
    },
    openLogin: () => void (left += 1),
  })
})

describe('a request of a page', () => {
  it('is sent once when it is answered', async () => {
    isGood = true
    expect((await client.request('/x')).status).toBe(200)
    expect([asked, refreshes, left]).toEqual([['/x'], 0, 0])
  })

  it('refreshes at 401 and is sent once more', async () => {
    expect((await client.request('/x')).status).toBe(200)
    expect([asked, refreshes, left]).toEqual([['/x', '/x'], 1, 0])
  })

  it('shares one refresh with nine others at the same time', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => client.request(`/x${n}`)),
    )
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect([refreshes, left]).toEqual([1, 0])
    isGood = false
    await client.request('/later')
    expect(refreshes).toBe(2)
  })

  it('leads to the login page when the refresh is refused', async () => {
    refreshed = () => refreshAnswer(REFUSED)
    expect((await client.request('/x')).status).toBe(401)
    expect([asked, left]).toEqual([['/x'], 1])
  })

  it('leads to the login page when it is refused all the same, after one retry', async () => {
    refreshed = () => refreshAnswer(REFRESHED)
    expect((await client.request('/x')).status).toBe(401)
    expect([asked, refreshes, left]).toEqual([['/x', '/x'], 1, 1])
  })

  it.each([
    ['a refresh that nobody answers', () => Promise.reject(new TypeError('Failed to fetch'))],
    ['a server in trouble', () => answer(503)],
    ['too many of them', () => answer(429)],
    ['an adapter that is away', () => refreshAnswer({ ...REFUSED, code: 'ADAPTER_UNAVAILABLE' })],
    ['an identity service away', () => refreshAnswer({ ...REFUSED, code: 'IDENTITY_UNAVAILABLE' })],
    ['one that takes too long', () => refreshAnswer({ ...REFUSED, code: 'GATEWAY_TIMEOUT' })],
  ])('fails and leads nowhere for %s: the sign-in may be good', async (_name, outcome) => {
    refreshed = outcome
    await expect(client.request('/x')).rejects.toThrow('could not be refreshed')
    expect(left).toBe(0)
  })

  it.each([answer(200, { errors: [{ message: 'x' }] }), answer(400), answer(401)])(
    'takes any other answer to a refresh for a refusal',
    async (other) => {
      refreshed = () => other
      await client.request('/x')
      expect(left).toBe(1)
    },
  )

  it('gives the data of GraphQL, or throws what it says', async () => {
    expect(await client.graphql('{ me }')).toEqual({ me: 'ada' })
    const failing = createClient({
      fetch: async () => answer(200, { errors: [{ message: 'No such field' }] }),
      openLogin: () => {},
    })
    await expect(failing.graphql('{ nothing }')).rejects.toThrow('No such field')
  })

  it('comes back to the page that it was made on', () => {
    expect(loginPath({ pathname: '/a b', search: '?x=1&y=/' })).toBe(
      '/login.html?return_to=%2Fa%20b%3Fx%3D1%26y%3D%2F',
    )
  })
})

describe('the socket of a page', () => {
  class TestSocket extends EventEmitter {
    connects = 0
    active = false
    connect() {
      this.connects += 1
    }
    disconnect() {}
  }
  let socket: TestSocket
  let states: string[]
  let me: () => Promise<Response>

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] })
    socket = new TestSocket()
    states = []
    me = async () => answer(200)
    openSocket({
      io: () => socket,
      client: { request: () => me() },
      openLogin: () => void (left += 1),
      since: () => undefined,
      onLines: () => {},
      onState: (state: string) => states.push(state),
    })
    return () => vi.useRealTimers()
  })
  const unauthorized = () => socket.emit('connect_error', new Error('unauthorized'))

  it('renews the sign-in when it is refused, and connects once more', async () => {
    unauthorized()
    await turn()
    expect([socket.connects, left]).toEqual([1, 0])
    socket.emit('connect')
    expect(states).toEqual(['waiting', 'live'])
  })

  it('leads to the login page when it is refused again', async () => {
    unauthorized()
    await turn()
    unauthorized()
    await turn()
    expect([socket.connects, left, states.at(-1)]).toEqual([1, 1, 'over'])
  })

  it('does not go round in circles when it connects and is ended at once', async () => {
    for (let n = 0; n < 5 && left === 0; n++) {
      socket.emit('connect')
      socket.emit('disconnect', 'io server disconnect')
      await turn()
    }
    expect([socket.connects, left]).toEqual([1, 1])
  })

  it('renews again after each token that was good for its time', async () => {
    for (let n = 1; n <= 3; n++) {
      socket.emit('connect')
      vi.advanceTimersByTime(60_000)
      socket.emit('disconnect', 'io server disconnect')
      await turn()
      expect([socket.connects, left]).toEqual([n, 0])
    }
  })

  it('is over when the sign-in is, and the client leaves', async () => {
    me = async () => answer(401)
    unauthorized()
    await turn()
    expect([socket.connects, states.at(-1)]).toEqual([0, 'over'])
  })

  it('waits ten seconds and tries again while nobody can say', async () => {
    me = () => Promise.reject(new TypeError('Failed to fetch'))
    unauthorized()
    await turn()
    expect([socket.connects, states.at(-1)]).toEqual([0, 'waiting'])
    vi.advanceTimersByTime(10_000)
    expect(socket.connects).toBe(1)
    socket.emit('connect_error', new Error('unavailable'))
    vi.advanceTimersByTime(10_000)
    expect([socket.connects, left]).toEqual([2, 0])
  })

  it('leaves a broken line to Socket.IO', async () => {
    socket.emit('connect')
    socket.emit('disconnect', 'transport close')
    socket.active = true
    socket.emit('connect_error', new Error('websocket error'))
    await turn()
    vi.advanceTimersByTime(60_000)
    expect([socket.connects, states.at(-1)]).toEqual([0, 'waiting'])
  })
})

describe('a line on the page', () => {
  it('shows its fields after time, level and event', () => {
    const line = {
      level: 'info',
      time: 'T',
      event: 'x',
      status: 200,
      claims: { sub: 'ada' },
      a: 'b',
    }
    expect(fieldsOf(line)).toBe('status=200 claims={"sub":"ada"} a=b')
  })

  it('names its correlation where that is another request', () => {
    expect(fieldsOf({ request_id: 'a', correlation_id: 'a' })).toBe('request_id=a')
    expect(fieldsOf({ request_id: 'a', correlation_id: 'b' })).toBe('request_id=a correlation_id=b')
  })

  it('waits for a view that stands still, as one of three hundred at most', () => {
    const entries = Array.from({ length: 500 }, (_, id) => ({ id }))
    expect(newestOf(entries).map(({ id }) => id)).toEqual(
      Array.from({ length: 300 }, (_, at) => at + 200),
    )
  })

  it('stands where it was written, once', () => {
    expect(placeOf([], 5)).toBe(0)
    expect(placeOf([1, 5], 9)).toBe(2)
    expect(placeOf([1, 5], 3)).toBe(1)
    expect(placeOf([3, 5], 1)).toBe(0)
    expect(placeOf([1, 3, 5], 3)).toBeUndefined()
  })
})

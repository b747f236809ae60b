// A plain TCP load balancer: passes bytes on to whichever process is ready, in turn, and knows nothing of HTTP or sessions.
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Backend {
  port: number
  /** Answers 200 while connections may be sent there. */
  readyUrl: string
}

export interface TcpBalancer {
  /** How many connections each backend got, in the order of `backends`. */
  readonly connections: readonly number[]
  /** The index of the backend that got the newest bytes. */
  last(): number
  /** Resolves with the index of the one that gets the next bytes, as soon as they are passed on. */
  next(): Promise<number>
  /** Resolves when so many are known to be ready. */
  ready(count: number): Promise<void>
  /** Resolves when this one is known to be ready. */
  readyAgain(index: number): Promise<void>
  stop(): Promise<void>
}

const CHECK_MS = 100
const CHECK_WITHIN_MS = 2000
const READY_WITHIN_MS = 30_000

/** Asks each backend whether it is ready, every 100 ms. A connection that is refused goes to the next one. */
export async function startTcpBalancer(
  port: number,
  backends: readonly Backend[],
): Promise<TcpBalancer> {
  const isReady = backends.map(() => false)
  const connections = backends.map(() => 0)
  const open = new Set<Socket>()
  let turn = 0
  let last = 0
  let next = Promise.withResolvers<number>()

  function noteBytes(index: number): void {
    last = index
    next.resolve(index)
    next = Promise.withResolvers()
  }

  async function check(index: number, { readyUrl }: Backend): Promise<void> {
    const signal = AbortSignal.timeout(CHECK_WITHIN_MS)
    isReady[index] = await fetch(readyUrl, { signal }).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  const checking = backends.map((backend, index) => repeat(() => check(index, backend)))

  /** Those that are ready, beginning with the one whose turn it is. */
  function candidates(): number[] {
    const all = backends.map((_, offset) => (turn + offset) % backends.length)
    turn = (turn + 1) % backends.length
    return all.filter((index) => isReady[index])
  }

  function pass(from: Socket, [index, ...others]: readonly number[]): void {
    const backend = index === undefined ? undefined : backends[index]
    if (index === undefined || !backend) return void from.destroy()
    const to = connect(backend.port, '127.0.0.1')
    const refused = () => {
      isReady[index] = false
      pass(from, others)
    }
    to.once('error', refused)
    to.once('connect', () => {
      to.off('error', refused)
      connections[index] = (connections[index] ?? 0) + 1
      join(from, to)
      from.on('data', () => noteBytes(index))
    })
  }

  function join(from: Socket, to: Socket): void {
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      open.add(one)
      one.setNoDelay(true)
      one.on('error', () => other.destroy())
      one.once('close', () => open.delete(one))
      one.pipe(other)
    }
  }

  const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    pass(socket, candidates())
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))

  async function until(isSo: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + READY_WITHIN_MS
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`Waited in vain until ${what}`)
      await sleep(20)
    }
  }

  return {
    connections,
    last: () => last,
    next: () => next.promise,
    ready: (count) =>
      until(() => isReady.filter(Boolean).length >= count, `${count} processes are ready`),
    readyAgain: (index) => until(() => isReady[index] === true, `process ${index} is ready again`),
    async stop() {
      for (const stopChecking of checking) stopChecking()
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** One after the other, never two at once. */
function repeat(work: () => Promise<void>): () => void {
  let isOver = false
  const run = async () => {
    while (!isOver) {
      await work()
      await sleep(CHECK_MS)
    }
  }
  void run()
  return () => void (isOver = true)
}

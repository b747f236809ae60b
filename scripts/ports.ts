// Which TCP ports of this machine are free.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

const HOST = '127.0.0.1'
/**
 * Below the ports that systems give to outgoing connections (32,768 and up), so that a port stays free while its server restarts;
 * and so is the second port of a Redis Cluster's node, 10,000 higher, which is never one of these.
 */
const FIRST = 12_000
const LAST = 22_000

/** False when something listens on the port of loopback now. Rejects when we may not use it at all. */
export function isPortFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(false) : reject(error),
    )
    server.listen({ port, host: HOST, exclusive: true }, () => server.close(() => resolve(true)))
  })
}

/** `count` different ports that were free a moment ago; drawn at random, so that runs side by side seldom meet. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) {
    const port = randomInt(FIRST, LAST)
    if (await isPortFree(port)) found.add(port)
  }
  return [...found]
}

// Which TCP ports of this machine are free.
import { createServer } from 'node:net'

const HOST = '127.0.0.1'

function open(port: number): Promise<{ port: number; close: () => Promise<void> } | undefined> {
  const server = createServer()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen({ port, host: HOST, exclusive: true }, () => {
      const address = server.address()
      const close = () => new Promise<void>((done) => server.close(() => done()))
      resolve({ port: typeof address === 'object' && address ? address.port : port, close })
    })
  })
}

/** False when something listens on the port of loopback now. Rejects when we may not use it at all. */
export async function isPortFree(port: number): Promise<boolean> {
  const opened = await open(port)
  await opened?.close()
  return opened !== undefined
}

/** `count` different ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => open(0)))
  const found = opened.filter((port) => port !== undefined)
  await Promise.all(found.map((port) => port.close()))
  return found.map(({ port }) => port)
}

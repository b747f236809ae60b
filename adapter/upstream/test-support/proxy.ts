// A proxy on real TCP that opens tunnels, and a certificate for an upstream on https behind it. Test code only.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Proxy {
  readonly host: string
  /** Targets of CONNECT, and the credentials that came with them. */
  readonly asked: { target: string; authorization: string | undefined }[]
  readonly sockets: Set<Socket>
  /** The status line it answers with instead of opening the tunnel; `hang`: none. */
  refuses: string | undefined
  close(): Promise<void>
}

export async function startProxy(): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server = createServer((_request, response) => response.writeHead(400).end())
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  server.on('connect', ({ url = '', headers }, client: Socket) => {
    proxy.asked.push({ target: url, authorization: headers['proxy-authorization'] })
    if (proxy.refuses === 'hang') return void client.resume().on('end', () => client.destroy())
    if (proxy.refuses) return void client.end(`HTTP/1.1 ${proxy.refuses}\r\n\r\n`)
    const { hostname, port } = new URL(`https://${url}`)
    const beyond = connect(Number(port || 443), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      beyond.pipe(client).pipe(beyond)
    })
    beyond.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
    client.on('close', () => beyond.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: Proxy = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    sockets,
    refuses: undefined,
    close: async () => {
      sockets.forEach((socket) => socket.destroy())
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}

/** A throw-away authority's certificate for 127.0.0.1. */
export function throwAwayCertificate(): { cert: string; key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-tls-'))
  const [key, cert] = [join(folder, 'one.key'), join(folder, 'one.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const names = ['-subj', '/CN=throw-away', '-addext', 'subjectAltName=IP:127.0.0.1']
  const files = ['-keyout', key, '-out', cert]
  try {
    const { status, stderr } = spawnSync('openssl', ['req', '-x509', ...kind, ...names, ...files])
    if (status !== 0) throw new Error(`openssl failed: ${String(stderr)}`)
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

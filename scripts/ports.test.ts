import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { freePorts, isPortFree } from './ports.ts'

const CLUSTER_BUS = 10_000

describe(freePorts, () => {
  it('gives none that the system may give to an outgoing connection, neither for the second port of a Cluster node', async () => {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    const firstOutgoing = Number(range.split(/\s+/)[0])
    const ports = await freePorts(500)
    expect(new Set(ports).size).toBe(500)
    expect(Math.max(...ports) + CLUSTER_BUS).toBeLessThan(firstOutgoing)
    expect(Math.max(...ports)).toBeLessThan(Math.min(...ports) + CLUSTER_BUS)
  })
})

describe(isPortFree, () => {
  it('is false while something listens', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    expect(await isPortFree(port)).toBe(false)
    server.close()
    await once(server, 'close')
    expect(await isPortFree(port)).toBe(true)
  })
})

// Throw-away groups of redis-servers for tests: a Cluster, and a primary with its replica and sentinels.
import { ask, until } from './redis-process.ts'
import { startRedis } from './redis-server.ts'
import type { RedisServer } from './redis-server.ts'

export interface RedisCluster {
  readonly urls: string[]
  readonly nodes: RedisServer[]
  stop(): Promise<void>
}

const SLOTS = 16_384

/** A Cluster of primaries without replicas, its slots spread evenly. */
export async function startRedisCluster(size = 3): Promise<RedisCluster> {
  const directives = [
    'cluster-enabled yes',
    'cluster-node-timeout 1000',
    'cluster-require-full-coverage no',
  ]
  const nodes = await Promise.all(Array.from({ length: size }, () => startRedis({ directives })))
  const [first] = nodes as [RedisServer, ...RedisServer[]]
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((index * SLOTS) / size)
    const to = Math.floor(((index + 1) * SLOTS) / size) - 1
    await ask(node.port, `CLUSTER ADDSLOTSRANGE ${from} ${to}`)
    await ask(node.port, `CLUSTER SET-CONFIG-EPOCH ${index + 1}`)
    if (node !== first) await ask(node.port, `CLUSTER MEET 127.0.0.1 ${first.port}`)
  }
  await until(
    'the Cluster is complete',
    async () => {
      const answers = await Promise.all(nodes.map((node) => ask(node.port, 'CLUSTER INFO')))
      return answers.every(
        (info) =>
          info.includes('cluster_state:ok') &&
          info.includes(`cluster_known_nodes:${size}`) &&
          info.includes(`cluster_slots_assigned:${SLOTS}`),
      )
    },
    15_000,
  )
  return {
    nodes,
    urls: nodes.map((node) => node.url),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}

export interface RedisSentinelGroup {
  readonly name: string
  /** host:port of the sentinels. */
  readonly nodes: string[]
  readonly primary: RedisServer
  readonly replica: RedisServer
  stop(): Promise<void>
}

/** A primary, a replica and three sentinels that have seen both. */
export async function startRedisSentinel(): Promise<RedisSentinelGroup> {
  const name = 'main'
  const primary = await startRedis()
  const replica = await startRedis({
    directives: [`replicaof 127.0.0.1 ${primary.port}`, 'repl-diskless-sync-delay 0'],
  })
  const directives = [
    `sentinel monitor ${name} 127.0.0.1 ${primary.port} 2`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
  ]
  const sentinels = await Promise.all(
    [1, 2, 3].map(() => startRedis({ sentinel: true, directives })),
  )
  await until(
    'the replica has caught up',
    async () => (await ask(replica.port, 'INFO replication')).includes('master_link_status:up'),
    10_000,
  )
  await until(
    'every sentinel knows the replica and the others',
    async () => {
      const answers = await Promise.all(
        sentinels.map((sentinel) => ask(sentinel.port, 'INFO sentinel')),
      )
      return answers.every((info) => info.includes('slaves=1') && info.includes('sentinels=3'))
    },
    20_000,
  )
  const all = [primary, replica, ...sentinels]
  return {
    name,
    nodes: sentinels.map((sentinel) => `127.0.0.1:${sentinel.port}`),
    primary,
    replica,
    stop: async () => void (await Promise.all(all.map((server) => server.stop()))),
  }
}

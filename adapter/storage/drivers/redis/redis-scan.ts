// The keys of all records in Redis, a page at a time. A Cluster is walked node by node.
import { StorageError } from '../../../errors.ts'
import type { KeysPage } from '../../driver.ts'
import type { RedisConnection } from './redis-connection.ts'
import type { ClusterCommands, RedisCommands } from './redis-endpoint.ts'

const COUNT = 1000
const GLOB = /[[\]*?\\]/g

interface Place {
  /** Which nodes there were at the first page. */
  nodes: string
  node: number
  cursor: string
}

/** Rejects with StorageError `unavailable` when the nodes of a Cluster change on the way: keys may have moved past the walk. */
export async function scanKeys(
  command: RedisConnection['command'],
  prefix: string,
  after: string | undefined,
): Promise<KeysPage> {
  const options = { MATCH: `${prefix.replaceAll(GLOB, String.raw`\$&`)}*`, COUNT }
  const { place, count, reply } = await command(async (redis) => {
    const nodes = await nodesOf(redis)
    const from = placeFrom(after, nodes.name)
    const node = nodes.all[from.node] as () => Promise<RedisCommands>
    return {
      place: from,
      count: nodes.all.length,
      reply: await (await node()).scan(from.cursor, options),
    }
  })
  const keys = reply.keys.map((key) => key.slice(prefix.length))
  const isNodeDone = reply.cursor === '0'
  if (isNodeDone && place.node + 1 >= count) return { keys }
  const next = isNodeDone
    ? { ...place, node: place.node + 1, cursor: '0' }
    : { ...place, cursor: reply.cursor }
  return { keys, next: JSON.stringify(next) }
}

async function nodesOf(redis: RedisCommands) {
  if (!('masters' in redis)) return { name: '', all: [async () => redis] }
  const cluster = redis as ClusterCommands
  const masters = cluster.masters.toSorted((a, b) => (a.address < b.address ? -1 : 1))
  return {
    name: masters.map(({ address }) => address).join(' '),
    all: masters.map((master) => () => cluster.nodeClient(master)),
  }
}

function placeFrom(after: string | undefined, nodes: string): Place {
  if (after === undefined) return { nodes, node: 0, cursor: '0' }
  const place = JSON.parse(after) as Place
  if (place.nodes === nodes) return place
  throw new StorageError('unavailable', 'The nodes of the Redis Cluster have changed on the way')
}

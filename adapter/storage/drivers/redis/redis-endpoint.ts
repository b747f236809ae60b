// The client library's three kinds of client - one server, Sentinel, Cluster - with our settings, as one type.
import { createClient, createCluster, createSentinel } from 'redis'
import { StorageError } from '../../../errors.ts'

export interface RedisOptions {
  /** redis:// or rediss:// URL of one server. Exactly one of url, cluster, sentinel. */
  url?: string | undefined
  /** URLs of some nodes. */
  cluster?: readonly string[] | undefined
  /** `nodes`: host:port of the sentinels; `password`: of the Redis servers behind them. */
  sentinel?: { name: string; nodes: readonly string[]; password?: string | undefined } | undefined
  /** Comes before every key. */
  prefix: string
  /** Default 500. */
  commandTimeoutMs?: number
  /** Told when the connection is lost and when it is back; never more than once for each. */
  onChange?: (state: 'connected' | 'lost', error?: Error) => void
}

interface ScriptCall {
  keys: string[]
  arguments: string[]
}

/** The commands the driver needs, as all three clients offer them. */
export interface RedisCommands {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options: { PX: number }): Promise<unknown>
  getDel(key: string): Promise<string | null>
  del(key: string): Promise<number>
  evalSha(sha1: string, call: ScriptCall): Promise<unknown>
  eval(script: string, call: ScriptCall): Promise<unknown>
  zRange(key: string, from: string, to: string, options: { BY: 'SCORE' }): Promise<string[]>
  zRem(key: string, member: string): Promise<number>
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<ScanReply>
}

export interface ScanReply {
  /** `0` with the last page. */
  cursor: string
  keys: string[]
}

interface ClusterNode {
  address: string
}

/** A Cluster has its keys on many nodes, each of which is asked by itself. */
export interface ClusterCommands extends RedisCommands {
  readonly masters: readonly ClusterNode[]
  nodeClient(node: ClusterNode): Promise<RedisCommands>
}

export interface RedisEndpoint extends RedisCommands {
  connect(): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

const MAX_COMMANDS_IN_FLIGHT = 2000
/** Milliseconds; short enough to be back within a second of the server's return. */
export function retryDelayMs(retries: number): number {
  return Math.min(25 * 2 ** Math.min(retries, 4), 400)
}

const SOCKET = {
  connectTimeout: 1000,
  // Of a connection nothing is said on, the PING below; one that is being set up and hangs.
  socketTimeout: 5000,
  reconnectStrategy: retryDelayMs,
}
const CLIENT = {
  disableOfflineQueue: true,
  commandsQueueMaxLength: MAX_COMMANDS_IN_FLIGHT,
  pingInterval: 2000,
}
// The library's own limit (an AbortSignal for each command) stops waiting commands only, and is costly; ours covers both.
const commandOptions = { timeout: 0 }

function nodeFrom(address: string): { host: string; port: number } {
  const separator = address.lastIndexOf(':')
  return { host: address.slice(0, separator), port: Number(address.slice(separator + 1)) }
}

/** Credentials and TLS of the first URL hold for every node that the Cluster names. */
function clusterDefaults(url: string): { username?: string; password?: string; tls: boolean } {
  const { username, password, protocol } = new URL(url)
  return {
    tls: protocol === 'rediss:',
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}

function clusterEndpoint(urls: readonly string[]): unknown {
  const { tls, ...credentials } = clusterDefaults(urls[0] ?? '')
  return createCluster({
    rootNodes: urls.map((url) => ({ url, socket: SOCKET })),
    defaults: {
      ...CLIENT,
      ...credentials,
      socket: tls ? { ...SOCKET, tls: true as const } : SOCKET,
    },
    topologyRefreshOnReconnectionAttemptStrategy: 200,
    commandOptions,
  })
}

function sentinelEndpoint({
  name,
  nodes,
  password,
}: NonNullable<RedisOptions['sentinel']>): unknown {
  return createSentinel({
    name,
    sentinelRootNodes: nodes.map(nodeFrom),
    nodeClientOptions: { ...CLIENT, socket: SOCKET, ...(password !== undefined && { password }) },
    sentinelClientOptions: { socket: SOCKET },
    reserveClient: true,
    scanInterval: 500,
    passthroughClientErrorEvents: true,
    commandOptions,
  })
}

/** Throws StorageError `unusable` for a URL that is none. */
export function createEndpoint({ url, cluster, sentinel }: RedisOptions): RedisEndpoint {
  try {
    if (cluster) return clusterEndpoint(cluster) as RedisEndpoint
    if (sentinel) return sentinelEndpoint(sentinel) as RedisEndpoint
    return createClient({
      ...CLIENT,
      ...(url !== undefined && { url }),
      socket: SOCKET,
      commandOptions,
    }) as unknown as RedisEndpoint
  } catch (error) {
    // The cause may show the URL, and with it the password.
    const code = (error as { code?: string }).code ?? 'invalid'
    throw new StorageError(
      'unusable',
      `Cannot use Redis: storage.url or storage.cluster is not a redis:// or rediss:// URL (${code})`,
    )
  }
}

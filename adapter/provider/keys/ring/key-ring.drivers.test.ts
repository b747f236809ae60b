// The record of the keys on the stores that processes share: each process has a connection of its own.
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startRedisCluster, type RedisCluster } from '../../../../scripts/redis-groups.ts'
import { startRedis, type RedisServer } from '../../../../scripts/redis-server.ts'
import { createLog } from '../../../../service/log.ts'
import type { StorageConfig } from '../../../config/schema.ts'
import type { Driver } from '../../../storage/driver.ts'
import { openDriver } from '../../../storage/open-driver.ts'
import { createSealing } from '../../../storage/sealing/sealing.ts'
import { openKeyRing, type KeyRing } from './key-ring.ts'

const SETTINGS = {
  alg: 'ES256',
  rotateEveryMs: 1e9,
  publishBeforeMs: 600_000,
  retireMs: 1e9,
} as const
const PROCESSES = 2
const log = createLog({ level: 'error', pretty: false })
const sealing = createSealing([randomBytes(32)])

let redis: RedisServer
let cluster: RedisCluster
const folder = mkdtempSync(join(tmpdir(), 'auth-adapter-key-ring-'))
beforeAll(async () => {
  ;[redis, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(async () => {
  await Promise.all([redis.stop(), cluster.stop()])
  rmSync(folder, { recursive: true, force: true })
})

const random = () => randomBytes(6).toString('hex')
const STORES: Record<string, () => StorageConfig> = {
  sqlite: () => ({ driver: 'sqlite', file: join(folder, `${random()}.sqlite`) }),
  redis: () => ({ driver: 'redis', url: redis.url, prefix: `${random()}:` }),
  'redis cluster': () => ({ driver: 'redis', cluster: cluster.urls, prefix: `${random()}:` }),
}

describe.each(Object.keys(STORES))('over %s', (name) => {
  let drivers: Driver[]
  let rings: KeyRing[]
  beforeEach(async () => {
    const store = STORES[name]?.() as StorageConfig
    drivers = []
    for (let at = 0; at < PROCESSES; at += 1)
      drivers.push(await openDriver(store, { now: Date.now, log }))
    rings = await Promise.all(
      drivers.map((driver) => openKeyRing({ driver, sealing, settings: SETTINGS, now: Date.now })),
    )
  })
  afterEach(async () => void (await Promise.all(drivers.map((driver) => driver.close()))))

  const all = <T>(work: (ring: KeyRing) => Promise<T>, times = 1) =>
    Promise.all(rings.flatMap((ring) => Array.from({ length: times }, () => work(ring))))
  const kids = async () => {
    await all((ring) => ring.refresh())
    return rings.map((ring) => ring.snapshot().keys.map(({ kid }) => kid))
  }

  it('two that start at the same time have one key', async () => {
    const [one, other] = await kids()
    expect(one).toHaveLength(1)
    expect(other).toEqual(one)
  })

  it('50 rotations at once publish one key', async () => {
    await all((ring) => ring.rotate(false), 25)
    const [one, other] = await kids()
    expect(one).toHaveLength(2)
    expect(other).toEqual(one)
  })

  it('of 20 that revoke one key one does, and one other key signs for all', async () => {
    const kid = rings[0]?.snapshot().keys[0]?.kid as string
    const answers = await all((ring) => ring.revoke(kid), 10)
    expect(answers.filter((changes) => changes !== undefined)).toHaveLength(1)
    const [one, other] = await kids()
    expect(one).toHaveLength(1)
    expect(one).not.toContain(kid)
    expect(other).toEqual(one)
  })
})

import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, until } from '../../../../scripts/redis-process.ts'
import { startRedis } from '../../../../scripts/redis-server.ts'
import type { RedisServer } from '../../../../scripts/redis-server.ts'
import { StorageError } from '../../../errors.ts'
import { describeDriver } from '../../driver.conformance.ts'
import type { Driver } from '../../driver.ts'
import { openDriver } from '../../open-driver.ts'
import { describeRaces } from '../../race.conformance.ts'
import { describeRecords } from '../../record.conformance.ts'
import { silentLog } from '../../testing/silent-log.ts'
import { timeLessLateness } from '../../testing/time-less-lateness.ts'
import { createRedisDriver } from './redis.ts'

let server: RedisServer
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

async function openAt(url: string, now = Date.now) {
  const driver = createRedisDriver({ url, prefix: 'test:', now })
  await driver.connected()
  return driver
}

describeDriver('redis', { open: (now) => openAt(server.url, now) })
describeRecords('redis', { open: (now) => openAt(server.url, now) })
describeRaces('redis', () => ({ driver: 'redis', url: server.url, prefix: 'races:' }))

const unavailable = (error: unknown) =>
  error instanceof StorageError && error.code === 'unavailable'

const refusedAfter = (call: () => Promise<unknown>) =>
  timeLessLateness(() => expect(call()).rejects.toSatisfy(unavailable))

async function worksAfter(driver: Driver): Promise<number> {
  const started = performance.now()
  await until('the store works', () => driver.set('probe', 1, 10).then(() => true))
  return performance.now() - started
}

describe('redis under trouble', () => {
  let own: RedisServer
  let driver: Driver
  beforeAll(async () => {
    own = await startRedis({ appendonly: true })
    driver = await openAt(own.url)
  })
  afterAll(async () => {
    await driver.close()
    await own.stop()
  })

  it('F20 a dead server: every operation rejects within 600 ms, and works within 1 s of its return', async () => {
    await driver.set('k', 'v', 100)
    await own.kill()
    const calls = [
      () => driver.get('k'),
      () => driver.set('k', 1, 1),
      () => driver.setAll([{ key: 'k', value: 1, ttlSeconds: 1 }]),
      () => driver.delete('k'),
      () => driver.insert('k', 1, 1),
      () => driver.take('k'),
      () => driver.consume('k'),
      () => driver.update('k', 1, 1),
      () => driver.add('k', 'm', 1),
      () => driver.members('k'),
      () => driver.drop('k'),
      () => driver.lease('k', 'o', 1),
      () => driver.release('k', 'o'),
      () => driver.ping(),
    ]
    for (const call of calls) expect(await refusedAfter(call)).toBeLessThan(600)
    await delay(700)
    await own.restart()
    expect(await worksAfter(driver)).toBeLessThan(1000)
    expect((await driver.get('k'))?.value).toBe('v')
  })
  it('F22 a server that does not answer: rejects within 600 ms, and works within 1 s of its return', async () => {
    own.pause()
    const many = await Promise.all(
      Array.from({ length: 50 }, () => refusedAfter(() => driver.consume('k'))),
    )
    expect(Math.max(...many)).toBeLessThan(600)
    own.resume()
    expect(await worksAfter(driver)).toBeLessThan(1000)
  })
  it('F22 commands to a server that does not answer do not pile up without end', async () => {
    own.pause()
    const results = await Promise.allSettled(
      Array.from({ length: 3000 }, (_, n) => driver.get(`k${n}`)),
    )
    const reasons = results.map((result) =>
      result.status === 'rejected' ? String(result.reason) : '',
    )
    expect(reasons.filter((reason) => /queue is full/i.test(reason)).length).toBeGreaterThan(500)
    own.resume()
    expect(await worksAfter(driver)).toBeLessThan(1000)
  })
  it('F22 a server slow by 100 ms: works', async () => {
    const busy = ask(own.port, 'DEBUG SLEEP 0.1').catch(() => undefined)
    await driver.set('slow', 'v', 100)
    await busy
    expect((await driver.get('slow'))?.value).toBe('v')
  })
  it('F20 a consumed record stays consumed through a crash of the server', async () => {
    await driver.set('code', 'v', 100)
    await driver.consume('code')
    await own.restart()
    await worksAfter(driver)
    expect(await driver.consume('code')).toBe(false)
  })
  it('F25 a full server: writes reject, reads go on', async () => {
    await driver.set('k', 'v', 100)
    await ask(own.port, 'CONFIG SET maxmemory 1')
    await expect(driver.set('k', 'w', 100)).rejects.toSatisfy(unavailable)
    expect((await driver.get('k'))?.value).toBe('v')
    await ask(own.port, 'CONFIG SET maxmemory 0')
    await driver.set('k', 'w', 100)
  })
  it('F24 a server that became a replica: rejects, and works when it is a primary again', async () => {
    await ask(own.port, 'REPLICAOF 127.0.0.1 1')
    await expect(driver.set('k', 'w', 100)).rejects.toSatisfy(unavailable)
    await ask(own.port, 'REPLICAOF NO ONE')
    expect(await worksAfter(driver)).toBeLessThan(1000)
  })
  it('F26 a consumed record that the server evicted is not valid again', async () => {
    await driver.set('evicted', 'v', 100)
    await driver.consume('evicted')
    await ask(own.port, 'DEL test:r:evicted')
    expect(await driver.consume('evicted')).toBe(false)
  })
  it('forgets its scripts with the server, and sends them again', async () => {
    await driver.set('scripted', 'v', 100)
    await ask(own.port, 'SCRIPT FLUSH')
    expect(await driver.consume('scripted')).toBe(true)
  })
})

/** Passes bytes on, until it is told to swallow those of the connections it has. */
async function startProxy(port: number) {
  const pairs: [Socket, Socket][] = []
  const server = createServer((from) => {
    const to = connect(port, '127.0.0.1')
    pairs.push([from, to])
    from.pipe(to).pipe(from)
    for (const socket of [from, to]) socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze() {
      for (const [from, to] of pairs) from.unpipe(to).resume()
    },
    stop() {
      for (const socket of pairs.flat()) socket.destroy()
      server.close()
    },
  }
}

describe('redis behind a network', () => {
  it('F22 a connection that swallows everything is given up for a new one', async () => {
    const proxy = await startProxy(server.port)
    const driver = await openAt(proxy.url)
    await driver.ping()
    proxy.freeze()
    expect(await refusedAfter(() => driver.ping())).toBeLessThan(600)
    expect(await worksAfter(driver)).toBeLessThan(4000)
    await driver.close()
    proxy.stop()
  }, 10_000)
  it('F24 an address that leads to a replica is looked up again', async () => {
    const [primary, replica] = [await startRedis(), await startRedis()]
    await ask(replica.port, `REPLICAOF 127.0.0.1 ${primary.port}`)
    const ports = [replica.port, primary.port]
    const moving = createServer((from) =>
      from
        .pipe(connect(ports.length > 1 ? (ports.shift() ?? 0) : (ports[0] ?? 0), '127.0.0.1'))
        .pipe(from),
    )
    await new Promise<void>((resolve) => moving.listen(0, '127.0.0.1', resolve))
    const driver = await openAt(`redis://127.0.0.1:${(moving.address() as AddressInfo).port}`)
    await expect(driver.set('k', 1, 1)).rejects.toThrow(/READONLY/)
    expect(await worksAfter(driver)).toBeLessThan(4000)
    await driver.close()
    moving.close()
    await Promise.all([primary.stop(), replica.stop()])
  }, 10_000)
})

describe('openDriver with redis', () => {
  const open = (url: string) =>
    openDriver({ driver: 'redis', url, prefix: 'test:' }, { now: Date.now, log: silentLog })

  it('F20 starts while the server is down', async () => {
    const gone = await startRedis()
    await gone.kill()
    const driver = await open(gone.url)
    await expect(driver.ping()).rejects.toSatisfy(unavailable)
    await gone.restart()
    expect(await worksAfter(driver)).toBeLessThan(1000)
    await driver.close()
    await gone.stop()
  })
  it('F29 refuses a wrong password, and a user who may not run scripts, with the remedy', async () => {
    const guarded = await startRedis({
      directives: ['requirepass secret', 'user limited on >pw ~* +@all -eval -evalsha'],
    })
    const at = (credentials: string) => `redis://${credentials}127.0.0.1:${guarded.port}`
    await expect(open(at(':wrong@'))).rejects.toThrow(/Set the user and password in storage\.url/)
    await expect(open(at(''))).rejects.toThrow(/Set the user and password in storage\.url/)
    await expect(open(at('limited:pw@'))).rejects.toThrow(/Allow this user/)
    const driver = await open(at(':secret@'))
    await driver.close()
    await guarded.stop()
  })
  it('F26 warns of a server that evicts', async () => {
    const evicting = await startRedis({
      directives: ['maxmemory 100mb', 'maxmemory-policy allkeys-lru'],
    })
    const warnings: unknown[] = []
    const log = {
      ...silentLog,
      warn: (event: string, fields: unknown) => void warnings.push([event, fields]),
    }
    const driver = await openDriver(
      { driver: 'redis', url: evicting.url, prefix: 'test:' },
      { now: Date.now, log },
    )
    expect(warnings).toEqual([
      ['storage.eviction', expect.objectContaining({ policy: 'allkeys-lru' })],
    ])
    await driver.close()
    await evicting.stop()
  })
  it('refuses a URL that is none, without showing it', async () => {
    await expect(open('http://user:hunter2@host')).rejects.toSatisfy(
      (error) =>
        error instanceof StorageError &&
        error.code === 'unusable' &&
        !error.message.includes('hunter2'),
    )
  })
})

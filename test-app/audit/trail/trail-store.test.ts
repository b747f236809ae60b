import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KEPT_MS, MOST } from './trail-rows.ts'
import type { NewEvent, TrailQuery } from './trail-rows.ts'
import { openTrailStore, TrailStoreError } from './trail-store.ts'
import type { TrailStore } from './trail-store.ts'

let folder: string
let file: string
let now: number
const open: TrailStore[] = []

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'trail-'))
  file = path.join(folder, 'test-app.sqlite')
  now = Date.UTC(2026, 0, 1)
})
afterEach(() => {
  for (const store of open.splice(0)) store.close()
  rmSync(folder, { recursive: true })
})

function openStore(app = 'TEST_APP_SESSION'): TrailStore {
  const store = openTrailStore({ file, app, now: () => now })
  open.push(store)
  return store
}

const event = (change: Partial<NewEvent> = {}): NewEvent => ({
  at: now,
  event: 'login.started',
  once: undefined,
  flowId: 'flow-1',
  subject: undefined,
  browser: undefined,
  fields: {},
  ...change,
})

const EVERYTHING: TrailQuery = { isAll: true, subject: undefined, browser: undefined, limit: 100 }
const all = (store: TrailStore, change: Partial<TrailQuery> = {}) =>
  store.read({ ...EVERYTHING, ...change })
const flows = (store: TrailStore, change: Partial<TrailQuery> = {}) => [
  ...new Set(all(store, change).map(({ flowId }) => flowId)),
]

describe('the store of the trail', () => {
  it('gives back what was added: the newest login first, its events in order', () => {
    const store = openStore()
    store.add(event({ fields: { way: 'chain', aud: ['a', 'b'], ms: 3, is_over: true } }))
    store.add(event({ flowId: 'flow-2' }))
    now += 5
    store.add(event({ event: 'login.finished', subject: 'anna' }))
    expect(all(store).map((row) => [row.flowId, row.event, row.at - now])).toEqual([
      ['flow-1', 'login.started', -5],
      ['flow-1', 'login.finished', 0],
      ['flow-2', 'login.started', -5],
    ])
    expect(all(store)[0]?.fields).toEqual({ way: 'chain', aud: ['a', 'b'], ms: 3, is_over: true })
  })

  it('takes what happens once in a login once, whoever says it again', () => {
    const [first, second] = [openStore(), openStore()]
    const finished = event({ event: 'login.finished', once: 'login.finished', subject: 'anna' })
    expect([first.add(finished), second.add(finished), first.add(finished)]).toEqual([
      true,
      false,
      false,
    ])
    expect(first.add({ ...finished, flowId: 'flow-2' })).toBe(true)
    expect(all(first)).toHaveLength(2)
  })

  it('gives the events of a login to the person who finished it, those before and those after', () => {
    const store = openStore()
    store.add(event({ browser: 'browser-1' }))
    store.add(event({ event: 'login.finished', subject: 'anna' }))
    store.add(event({ event: 'tokens.refreshed' }))
    const mine = { isAll: false, subject: 'anna', browser: undefined }
    expect(all(store, mine)).toHaveLength(3)
    expect(all(store, { isAll: false, subject: undefined, browser: 'browser-1' })).toEqual([])
    expect(all(store, { isAll: false, subject: 'bert', browser: 'browser-1' })).toEqual([])
  })

  it('gives what is nobody’s to its browser only', () => {
    const store = openStore()
    store.add(event({ event: 'login.failed', browser: 'browser-1' }))
    store.add(event({ event: 'login.failed', flowId: 'flow-2' }))
    const seenBy = (subject: string | undefined, browser: string | undefined) =>
      flows(store, { isAll: false, subject, browser })
    expect(seenBy(undefined, 'browser-1')).toEqual(['flow-1'])
    expect(seenBy('anna', 'browser-1')).toEqual(['flow-1'])
    expect(seenBy('anna', 'browser-2')).toEqual([])
    expect(seenBy(undefined, undefined)).toEqual([])
  })

  it('gives one login when asked for it, and pages of logins', () => {
    const store = openStore()
    for (const flowId of ['a', 'b', 'c', 'd']) store.add(event({ flowId }))
    expect(flows(store, { flowId: 'b' })).toEqual(['b'])
    expect(flows(store, { flowId: 'x' })).toEqual([])
    expect(flows(store, { limit: 2 })).toEqual(['d', 'c'])
    const last = all(store, { limit: 2 }).at(-1)?.id
    expect(flows(store, { limit: 2, before: last })).toEqual(['b', 'a'])
  })

  it('is not shared by two apps on one file', () => {
    const [first, second] = [openStore(), openStore('SECOND_APP_SESSION')]
    first.add(event())
    expect([all(first).length, all(second).length]).toEqual([1, 0])
  })

  it('is readable by its owner only', () => {
    openStore().add(event())
    const modes = readdirSync(folder).map((name) => statSync(path.join(folder, name)).mode & 0o777)
    expect(modes.length).toBeGreaterThan(0)
    for (const mode of modes) expect(mode).toBe(0o600)
  })
})

describe('the bounds of the trail', () => {
  it('forgets what is thirty days old', () => {
    const store = openStore()
    store.add(event({ flowId: 'old' }))
    now += KEPT_MS - 1
    store.add(event({ flowId: 'new' }))
    expect(flows(openStore())).toEqual(['new', 'old'])
    now += 1
    expect(flows(openStore())).toEqual(['new'])
    now += KEPT_MS
    expect(flows(store)).toEqual([])
  })

  it('keeps ten thousand events, and two thousand of one person', () => {
    expect(MOST).toEqual({ ofAll: 10_000, ofOne: 2000 })
  })

  const most = { ofAll: 1000, ofOne: 300 }
  const openSmall = () => {
    const store = openTrailStore({ file, app: 'TEST_APP_SESSION', now: () => now, most })
    open.push(store)
    return store
  }

  it('keeps the newest events', () => {
    const store = openSmall()
    for (let n = 0; n < 1350; n += 1)
      store.add(event({ flowId: `flow-${n}`, subject: `person-${n % 7}` }))
    const kept = flows(store, { limit: 2000 })
    expect(kept.length).toBeLessThanOrEqual(most.ofAll)
    expect(kept.length).toBeGreaterThanOrEqual(most.ofAll - 100)
    expect(kept[0]).toBe('flow-1349')
  })

  it.each([
    ['somebody', 'bert'],
    ['who is not signed in', undefined],
  ])('A30 %s can not push out what others did', (_who, subject) => {
    const store = openSmall()
    store.add(event({ flowId: 'mine', subject: 'anna' }))
    for (let n = 0; n < 1500; n += 1) store.add(event({ flowId: `flood-${n}`, subject }))
    const kept = flows(store, { limit: 2000 })
    expect(kept).toContain('mine')
    expect(kept.length).toBeLessThanOrEqual(most.ofOne + 1)
    expect(kept.length).toBeGreaterThanOrEqual(most.ofOne - 100)
  })
})

describe('the file of the trail', () => {
  const WRITER = `
    import { openTrailStore } from ${JSON.stringify(new URL('trail-store.ts', import.meta.url).href)}
    const [file, name] = process.argv.slice(1)
    const store = openTrailStore({ file, app: 'TEST_APP_SESSION', now: Date.now })
    for (let n = 0; n < 200; n += 1)
      store.add({ at: Date.now(), event: 'tokens.refreshed', flowId: name, subject: 'anna', fields: {} })
    store.close()`

  it('takes the events of several processes that write at once', async () => {
    now = Date.now()
    const writers = ['a', 'b', 'c'].map((name) =>
      spawn(process.execPath, ['--input-type=module', '-e', WRITER, file, name], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    )
    const codes = await Promise.all(writers.map((writer) => once(writer, 'exit')))
    expect(codes.map(([code]) => code as number)).toEqual([0, 0, 0])
    const counts = Map.groupBy(all(openStore()), ({ flowId }) => flowId)
    expect([...counts.values()].map((events) => events.length)).toEqual([200, 200, 200])
  })

  it('locked by another writer: events wait, nobody waits for them, and none is lost', () => {
    const store = openStore()
    store.add(event())
    const other = new DatabaseSync(file)
    other.exec('begin immediate')
    const startedAt = performance.now()
    for (let n = 0; n < 50; n += 1) store.add(event())
    expect(performance.now() - startedAt).toBeLessThan(300)
    other.exec('rollback')
    other.close()
    expect(all(store)).toHaveLength(51)
  })

  it('locked at the end of the process: what waits is written as soon as it can be', async () => {
    const store = openStore()
    store.add(event())
    const HOLDER = `
      const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
      const database = new DatabaseSync(process.argv[1])
      database.exec('begin immediate')
      process.stdout.write('locked')
      setTimeout(() => database.exec('commit'), 300)`
    const holder = spawn(process.execPath, ['-e', HOLDER, file])
    await once(holder.stdout, 'data')
    store.add(event({ event: 'login.finished' }))
    store.close()
    open.pop()
    expect(all(openStore()).map((row) => row.event)).toEqual(['login.started', 'login.finished'])
    await once(holder, 'exit')
  })

  it('locked for long: what does not fit into memory is an error', () => {
    const store = openStore()
    store.add(event())
    const other = new DatabaseSync(file)
    other.exec('begin immediate')
    const flood = () => {
      for (let n = 0; n < 1001; n += 1) store.add(event())
    }
    expect(flood).toThrow(TrailStoreError)
    other.exec('rollback')
    other.close()
  })

  it('that is no database is an error that says so, and is tried again ten seconds later', () => {
    writeFileSync(file, 'this is not a database, however long it may be'.repeat(200))
    const store = openStore()
    expect(() => store.add(event())).toThrow(/audit trail can not be used: .*not a database/)
    expect(() => all(store)).toThrow(TrailStoreError)
    rmSync(file)
    expect(() => store.add(event())).toThrow(TrailStoreError)
    now += 10_000
    expect(store.add(event())).toBe(true)
    expect(all(store)).toHaveLength(1)
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../../service/log.ts'
import type { Log } from '../../service/log.ts'
import { createRequestContext, runInContext } from '../../service/request-context.ts'
import { createLogRing } from './log-ring.ts'
import type { LogRing } from './log-ring.ts'
import { createLogView, viewerOf } from './log-view.ts'

let ring: LogRing
let log: Log

function start(mostLines?: number): void {
  ring = createLogRing(mostLines)
  log = createLog({ pretty: false, destination: { write: () => {} }, copyTo: ring })
}
beforeEach(() => start())

const ADMIN = { subject: 'boss', seesAll: true }
const person = (subject: string) => ({ subject, seesAll: false })
const eventsFor = (subject: string, after = 0) =>
  ring.changes(person(subject), after, 100).map(({ line }) => line['event'])
const all = (after = 0) => ring.changes(ADMIN, after, 100).map(({ line }) => line['event'])

describe('the ring of log lines', () => {
  it('holds what the log wrote, as redacted as the log', () => {
    log.info('login.done', { sub: 'ada', access_token: 'eyJhbGciOi.secret', path: '/x?code=abc' })
    const [entry] = ring.changes(person('ada'), 0, 10)
    expect(entry?.line).toMatchObject({ level: 'info', event: 'login.done', sub: 'ada' })
    expect(JSON.stringify(entry)).not.toMatch(/eyJhbGciOi|abc/)
  })

  it('leaves out stacks, which name files of the machine', () => {
    log.error('request.failed', { error: new Error('broken'), sub: 'ada' })
    const [entry] = ring.changes(ADMIN, 0, 10)
    expect(entry?.line['error']).toEqual({ name: 'Error', message: 'broken' })
  })

  it('leaves out what is below the level of the log', () => {
    log.debug('detail', { sub: 'ada' })
    expect(all()).toEqual([])
  })

  it('keeps the newest lines only, and of those the newest asked for', () => {
    start(3)
    for (const event of ['one', 'two', 'three', 'four']) log.info(event, { sub: 'ada' })
    expect(eventsFor('ada')).toEqual(['two', 'three', 'four'])
    expect(ring.changes(person('ada'), 0, 2).map(({ id }) => id)).toEqual([3, 4])
  })

  it('leaves out a line of a size that no line has', () => {
    ring.write(`{"event":"huge","sub":"ada","x":"${'x'.repeat(20_000)}"}\n`)
    expect(all()).toEqual([])
  })
})

describe('whose a line is', () => {
  it('shows a person the lines with their subject, and nobody else’s', () => {
    log.info('a', { sub: 'ada' })
    log.info('b', { sub: 'bob' })
    log.info('nobodys')
    expect(eventsFor('ada')).toEqual(['a'])
    expect(eventsFor('bob')).toEqual(['b'])
    expect(all()).toEqual(['a', 'b', 'nobodys'])
  })

  it('shows what the same login and the same request wrote before and after it was known whose they are', () => {
    log.info('login.started', { flow_id: 'f1', request_id: 'r1' })
    log.info('redirected', { request_id: 'r1' })
    log.info('other', { flow_id: 'f2', request_id: 'r2' })
    expect(eventsFor('ada')).toEqual([])
    const before = ring.revision()
    log.info('login.finished', { flow_id: 'f1', request_id: 'r3', sub: 'ada' })
    log.info('request.done', { request_id: 'r3' })
    const theirs = ['login.started', 'redirected', 'login.finished', 'request.done']
    expect(eventsFor('ada', before)).toEqual(theirs)
    expect(all(before)).toEqual(theirs)
  })

  it('reads ids from the context of the request', () => {
    runInContext(createRequestContext({ request_id: 'r1' }), () => {
      log.info('request.begun')
      log.info('token.verified', { sub: 'ada' })
    })
    expect(eventsFor('ada')).toEqual(['request.begun', 'token.verified'])
  })

  it('knows a person by the claims of a token that was looked at', () => {
    log.info('request.begun', { request_id: 'r1' })
    log.info('token.verified', { request_id: 'r1', valid: true, claims: { sub: 'ada' } })
    log.info('token.verified', { request_id: 'r2', valid: false, reason: 'signature' })
    log.info('odd', { claims: 'ada', sub: 3 })
    expect(eventsFor('ada')).toEqual(['request.begun', 'token.verified'])
  })

  it('takes an id that two people used for nobody’s', () => {
    log.info('a', { request_id: 'same', sub: 'ada' })
    log.info('b', { request_id: 'same', sub: 'bob' })
    log.info('whose')
    log.info('whose', { request_id: 'same' })
    expect(eventsFor('ada')).toEqual(['a'])
    expect(eventsFor('bob')).toEqual(['b'])
  })

  it('shows nothing of another person for an id that a caller chose', () => {
    log.info('secret of ada', { request_id: 'same', sub: 'ada' })
    log.info('b', { request_id: 'same', sub: 'bob' })
    expect(eventsFor('bob')).toEqual(['b'])
  })

  it('is bounded: of one id a hundred lines wait, and the oldest ids are forgotten', () => {
    start(500)
    for (let n = 0; n < 300; n++) log.info(`n${n}`, { request_id: 'same' })
    log.info('known', { request_id: 'same', sub: 'ada' })
    expect(ring.changes(person('ada'), 0, 1000)).toHaveLength(101)

    start(3)
    log.info('early', { flow_id: 'f1' })
    for (const id of ['f2', 'f3', 'f4']) log.info('other', { flow_id: id })
    log.info('late', { flow_id: 'f1', sub: 'ada' })
    expect(eventsFor('ada')).toEqual(['late'])
  })
})

describe('the view of the log', () => {
  it('goes on where the last part ended, and begins anew for a place of another run', () => {
    const view = createLogView(ring)
    log.info('one', { sub: 'ada' })
    const first = view.part(person('ada'), undefined)
    expect(first.lines).toHaveLength(1)
    expect(view.part(person('ada'), first.next).lines).toEqual([])
    log.info('two', { sub: 'ada' })
    expect(view.part(person('ada'), first.next).lines.map(({ line }) => line['event'])).toEqual([
      'two',
    ])
    expect(createLogView(ring).part(person('ada'), first.next).lines).toHaveLength(2)
  })

  it('is of everything for administrators only', () => {
    const claims = (authorities: unknown) => viewerOf({ subject: 'ada', claims: { authorities } })
    expect(claims(['ROLE_USER', 'ROLE_ADMIN']).seesAll).toBe(true)
    for (const other of [
      ['ROLE_USER'],
      'ROLE_ADMIN',
      undefined,
      ['role_admin'],
      { 0: 'ROLE_ADMIN' },
    ])
      expect(claims(other).seesAll).toBe(false)
  })
})

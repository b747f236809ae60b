import { describe, expect, it } from 'vitest'
import { createUpstreamChooser } from './choose-upstream.ts'

type ChooserConfig = Parameters<typeof createUpstreamChooser>[0]

function chooser({
  preferred,
  allowed,
  upstreams = { corp: ['corp.example', 'corp.test'], partner: ['kite.example'], guests: [] },
}: {
  preferred?: string
  allowed?: string[]
  upstreams?: Record<string, string[]>
} = {}) {
  return createUpstreamChooser({
    upstreams: Object.fromEntries(
      Object.entries(upstreams).map(([name, domains]) => [name, { domains }]),
    ),
    default_upstream: preferred,
    clients: { app: { upstreams: allowed } },
  } as unknown as ChooserConfig)
}

const request = (params: Record<string, string> = {}) => ({ clientId: 'app', params })
const asked = (name: string) => ({ kind: 'upstream', name, isAsked: true })
const unasked = (name: string) => ({ kind: 'upstream', name, isAsked: false })
const REFUSED = { kind: 'refused' }

describe('nothing asked for', () => {
  it('the only upstream, the default, or the chooser', () => {
    expect(chooser({ upstreams: { one: [] } }).choose(request())).toEqual(unasked('one'))
    expect(chooser({ preferred: 'guests' }).choose(request())).toEqual(unasked('guests'))
    expect(chooser().choose(request())).toEqual({
      kind: 'chooser',
      names: ['corp', 'partner', 'guests'],
    })
  })

  it('a client that is allowed some chooses among these, and a default outside them is none', () => {
    const { choose } = chooser({ preferred: 'corp', allowed: ['partner', 'guests'] })
    expect(choose(request())).toEqual({ kind: 'chooser', names: ['partner', 'guests'] })
    expect(chooser({ preferred: 'corp', allowed: ['guests'] }).choose(request())).toEqual(
      unasked('guests'),
    )
  })
})

describe('asked for by the app', () => {
  it.each(['upstream', 'kc_idp_hint', 'connector_id', 'idp_hint'])('%s names it', (hint) => {
    const { choose } = chooser({ preferred: 'corp' })
    expect(choose(request({ [hint]: 'guests' }))).toEqual(asked('guests'))
    for (const wrong of ['nobody', 'GUESTS', 'guests ', '__proto__', 'kite.example'])
      expect(choose(request({ [hint]: wrong }))).toMatchObject(REFUSED)
  })

  it('domain_hint says its domain', () => {
    const { choose } = chooser({ preferred: 'guests' })
    expect(choose(request({ domain_hint: 'Corp.TEST' }))).toEqual(asked('corp'))
    for (const wrong of ['nobody.example', 'a@corp.test', 'corp.test.', 'corp'])
      expect(choose(request({ domain_hint: wrong }))).toMatchObject(REFUSED)
  })

  it('one that the client is not allowed is refused like one that does not exist', () => {
    const { choose } = chooser({ preferred: 'guests', allowed: ['guests'] })
    const forbidden = choose(request({ upstream: 'corp' }))
    expect(forbidden).toMatchObject(REFUSED)
    expect(choose(request({ upstream: 'nobody' }))).toEqual(forbidden)
    expect(choose(request({ domain_hint: 'corp.example' }))).toEqual(forbidden)
  })

  it('two hints may agree, and are refused when they do not', () => {
    const { choose } = chooser({ preferred: 'guests' })
    const agree = { upstream: 'corp', kc_idp_hint: 'corp', domain_hint: 'corp.example' }
    expect(choose(request(agree))).toEqual(asked('corp'))
    expect(choose(request({ upstream: 'corp', idp_hint: 'guests' }))).toMatchObject(REFUSED)
    expect(choose(request({ upstream: 'corp', idp_hint: 'nobody' }))).toMatchObject(REFUSED)
    expect(choose(request({ upstream: 'corp', domain_hint: 'kite.example' }))).toMatchObject(
      REFUSED,
    )
  })

  it('an empty hint is none', () => {
    expect(chooser({ preferred: 'corp' }).choose(request({ upstream: '' }))).toEqual(
      unasked('corp'),
    )
  })
})

describe('login_hint', () => {
  const ROWS: [hint: string, name: string][] = [
    ['ada@corp.example', 'corp'],
    ['ada@CORP.Example', 'corp'],
    ['ada@kite.example', 'partner'],
    ['"a@kite.example"@corp.example', 'corp'],
    ['corp.example', 'guests'],
    ['ada@evilcorp.example', 'guests'],
    ['ada@sub.corp.example', 'guests'],
    ['ada@corp.example@evil.example', 'guests'],
    ['ada@corp.example.', 'guests'],
    ['ada@corp.example ', 'guests'],
    ['ada@\u212Aite.example', 'guests'],
    ['ada@c\u043Erp.example', 'guests'],
    ['ada@', 'guests'],
    ['', 'guests'],
  ]
  it.each(ROWS)('A15 email domain checks: %j goes to %s', (login_hint, name) => {
    expect(chooser({ preferred: 'guests' }).choose(request({ login_hint }))).toEqual(unasked(name))
  })

  it('never overrules what is asked for, nor what the client is allowed', () => {
    const login_hint = 'ada@corp.example'
    expect(chooser().choose(request({ login_hint, upstream: 'guests' }))).toEqual(asked('guests'))
    expect(chooser({ allowed: ['partner', 'guests'] }).choose(request({ login_hint }))).toEqual({
      kind: 'chooser',
      names: ['partner', 'guests'],
    })
  })
})

describe('a session', () => {
  it('answers for its upstream, unless the app asks for another or may not use it', () => {
    const { isAnsweredBy } = chooser({ preferred: 'guests' })
    expect(isAnsweredBy(request(), 'corp')).toBe(true)
    expect(isAnsweredBy(request({ login_hint: 'a@kite.example' }), 'corp')).toBe(true)
    expect(isAnsweredBy(request({ upstream: 'corp' }), 'corp')).toBe(true)
    expect(isAnsweredBy(request({ upstream: 'guests' }), 'corp')).toBe(false)
    const { isAnsweredBy: restricted } = chooser({ allowed: ['partner', 'guests'] })
    expect(restricted(request(), 'corp')).toBe(false)
    expect(restricted(request(), 'guests')).toBe(true)
  })
})

describe('the start of a login', () => {
  it('only where it was sent, or at one of those on the chooser', () => {
    expect(chooser().mayStart(request(), 'guests')).toBe(true)
    expect(chooser({ preferred: 'corp' }).mayStart(request(), 'guests')).toBe(false)
    expect(chooser({ preferred: 'corp' }).mayStart(request(), 'corp')).toBe(true)
    const { mayStart } = chooser({ allowed: ['partner', 'guests'] })
    expect(mayStart(request(), 'corp')).toBe(false)
    expect(mayStart(request({ upstream: 'guests' }), 'partner')).toBe(false)
    expect(mayStart(request({ upstream: 'nobody' }), 'guests')).toBe(false)
  })
})

it('A15 an address typed on the chooser: only the domain of one that is offered', () => {
  const { findByEmail } = chooser()
  expect(findByEmail('ada@Corp.test', ['corp', 'guests'])).toBe('corp')
  expect(findByEmail('ada@corp.test', ['partner', 'guests'])).toBeUndefined()
  expect(findByEmail('corp.test', ['corp'])).toBeUndefined()
})

// What a change of the configuration is called, and what of it is never shown.
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../config/load-config.ts'
import { diffConfig } from './diff-config.ts'

const UP = { kind: 'oidc', issuer: 'https://up.test', client_id: 'a', client_secret: '${UP}' }
const APP = { client_secret: '${APP}', redirect_uris: ['https://app.test/cb'] }
const BASE = {
  issuer: 'http://127.0.0.1:9000',
  upstreams: { up: UP },
  clients: { app: APP },
}
const ENV = { UP: 'up-secret-value', APP: 'app-secret-value', NAME: 'from-outside' }

const load = (settings: object, env = ENV) =>
  loadConfig({ text: JSON.stringify(settings), file: '/etc/auth-adapter.yaml', env })
const diff = (before: object, after: object, env = ENV) =>
  diffConfig(load(before), load(after, env))

describe(diffConfig, () => {
  it('nothing changed, however it is written', () => {
    const { clients, upstreams, issuer } = BASE
    const session = { idle: '8h' }
    const none = { added: [], removed: [], changed: [], paths: [] }
    expect(diff(BASE, { clients, session, upstreams, issuer })).toEqual(none)
  })

  it('names each setting with its value before and after, as it is written', () => {
    const after = { ...BASE, login: { ttl: '5m' }, log: { level: 'debug' }, default_upstream: 'up' }
    expect(diff(BASE, after)).toEqual({
      added: [],
      removed: [],
      changed: [
        'login.ttl: "10m" → "5m"',
        'log.level: "info" → "debug"',
        'default_upstream: none → "up"',
      ],
      paths: ['login.ttl', 'log.level', 'default_upstream'],
    })
  })

  it('upstreams and clients come and go as a whole', () => {
    const after = { ...BASE, upstreams: { next: UP }, clients: { app: APP, other: APP } }
    const { added, removed, changed } = diff(BASE, after)
    expect([added, removed, changed]).toEqual([
      ['upstreams.next', 'clients.other'],
      ['upstreams.up'],
      [],
    ])
  })

  it('never shows a secret, nor what came from outside the file', () => {
    const upstreams = { up: { ...UP, client_id: '${NAME}', client_secret: 'a-literal-secret' } }
    const env = { ...ENV, APP: 'another-app-secret' }
    const { changed } = diff(BASE, { ...BASE, upstreams }, env)
    expect(changed).toEqual([
      'upstreams.up.client_id: "a" → ***',
      'upstreams.up.client_secret: *** → ***',
      'clients.app.client_secret: *** → ***',
    ])
  })

  it('masks secrets inside what appears as a whole', () => {
    const storage = { driver: 'redis', cluster: ['redis://:hidden-1@a', 'redis://:hidden-2@b'] }
    const { changed } = diff(BASE, { ...BASE, storage })
    expect(JSON.stringify(changed)).not.toContain('hidden')
    expect(changed).toContain('storage.cluster: none → ["***","***"]')
  })

  it('the order of the upstreams counts, since people see it; no other does', () => {
    const two = { ...BASE, upstreams: { up: UP, next: UP }, clients: { app: APP, other: APP } }
    const turned = { ...BASE, upstreams: { next: UP, up: UP }, clients: { other: APP, app: APP } }
    expect(diff(two, turned).changed).toEqual(['upstreams: ["up","next"] → ["next","up"]'])
  })

  it('a file that a setting names counts with what is in it', () => {
    const side = (content: string) => ({ ...load(BASE), contents: new Map([['a.b', content]]) })
    expect(diffConfig(side('1'), side('1')).paths).toEqual([])
    expect(diffConfig(side('1'), side('2')).changed).toEqual(['a.b: the content of the file'])
  })

  it('cuts what is long', () => {
    const upstreams = {
      up: { ...UP, domains: Array.from({ length: 90 }, (_, at) => `d${at}.example`) },
    }
    expect(diff(BASE, { ...BASE, upstreams }).changed[0]?.length).toBeLessThan(400)
  })
})

// What of a draft leaves the command, and what the adapter makes of it.
import { describe, expect, it } from 'vitest'
import { draftSettings, readDraftSettings } from './draft-settings.ts'
import { loadConfig } from './load-config.ts'

const OURS = 'https://login.example'
const upstream = (name: string) => ({
  kind: 'oidc',
  issuer: `https://${name}.example`,
  client_id: 'us',
  client_secret: `secret-of-${name}`,
  proxy: `http://user:password-of-${name}@proxy.example:3128`,
  timeout: '3s',
  ca_file: 'ca.pem',
})
const FILE = {
  issuer: 'http://127.0.0.1:9000',
  admin: { token: 'a-token-of-thirty-two-characters' },
  keys: { sealing_key: `${'x'.repeat(42)}A` },
  storage: { driver: 'redis', url: 'redis://:password-of-redis@redis.example' },
  upstreams: { one: upstream('one'), two: upstream('two') },
  default_upstream: 'two',
  clients: {
    app: { client_secret: 'secret-of-app', redirect_uris: ['https://app.example/cb'] },
  },
}

function sent(file: object = FILE): Record<string, unknown> {
  const loaded = loadConfig({ text: JSON.stringify(file), file: '/etc/draft.yaml', env: {} })
  return draftSettings(loaded, 'one')
}

describe(draftSettings, () => {
  it('holds the secrets of the upstream to be tested and no other', () => {
    const text = JSON.stringify(sent())
    expect(text).toContain('secret-of-one')
    expect(text).toContain('password-of-one')
    expect(text).not.toMatch(/(?:secret|password)-of-(?!one)|a-token-of|x{42}/)
  })

  it('holds nothing of the process itself', () => {
    expect(Object.keys(sent()).toSorted()).toEqual(['clients', 'default_upstream', 'upstreams'])
  })
})

describe(readDraftSettings, () => {
  it('makes of it what the file says, with absolute paths and our own issuer', () => {
    const config = readDraftSettings(sent(), OURS)
    expect(config.issuer).toBe(OURS)
    expect(config.upstreams['one']).toMatchObject({
      client_secret: 'secret-of-one',
      proxy: FILE.upstreams.one.proxy,
      timeout: 3,
      ca_file: '/etc/ca.pem',
    })
    expect(Object.keys(config.upstreams)).toEqual(['one', 'two'])
  })

  it('tells every fault, and what is no configuration at all', () => {
    const faults = { upstreams: { one: { ...upstream('one'), subject: 'bear', scpoe: 'x' } } }
    expect(() => readDraftSettings({ ...FILE, ...faults, default_upstream: 'one' }, OURS)).toThrow(
      /subject: Expected one of[^]*scpoe/,
    )
    for (const nothing of [undefined, null, 'text', [], 7])
      expect(() => readDraftSettings(nothing, OURS)).toThrow(/upstreams/)
  })
})

import { describe, expect, it } from 'vitest'
import type { Document } from 'yaml'
import { spliceEntry } from './splice-entry.ts'

const ADDED = { redirect_uris: ['https://new.example/cb'] }
const add = (text: string) =>
  spliceEntry(text, ['clients', 'new'], (document: Document) =>
    document.setIn(['clients', 'new'], document.createNode(ADDED)),
  )
const set = (text: string) =>
  spliceEntry(text, ['clients', 'app', 'client_secrets'], (document) =>
    document.setIn(['clients', 'app', 'client_secrets'], document.createNode([{ sha256: 'x' }])),
  )
const drop = (text: string) =>
  spliceEntry(text, ['clients', 'app', 'client_secret'], (document) =>
    document.deleteIn(['clients', 'app', 'client_secret']),
  )
const NEW = `  new:
    redirect_uris:
      - https://new.example/cb
`

describe('spliceEntry', () => {
  const FILE = `# The configuration.
issuer:   "https://id.example"   # who we are

clients:
  # The first app.
  app:
    client_secret: \${APP_SECRET}   # from outside
    redirect_uris: # compared character by character
      - 'https://app.example/cb'
    scope:    openid profile # what it may ask for

  # The last one, which is off:
  # off: {}

keys: { alg: "ES256",   publish_before: 10m } # more
`

  it('adds below the last one, and leaves every other line as it is', () => {
    const lines = FILE.split('\n')
    const expected = [...lines.slice(0, 10), ...NEW.trimEnd().split('\n'), ...lines.slice(10)]
    expect(add(FILE).split('\n')).toEqual(expected)
  })

  it('sets one setting of one app, and takes one away', () => {
    const secrets = '    client_secrets:\n      - sha256: x\n'
    const last = '    scope:    openid profile # what it may ask for\n'
    expect(set(FILE)).toBe(FILE.replace(last, last + secrets))
    expect(set(set(FILE))).toBe(set(FILE))
    expect(drop(FILE)).toBe(FILE.replace('    client_secret: ${APP_SECRET}   # from outside\n', ''))
  })

  it('keeps indentation and line ends as they are in the file', () => {
    const wide = 'clients:\n    app:\n        scope: openid\n'
    expect(add(wide)).toBe(
      `${wide}    new:\n      redirect_uris:\n        - https://new.example/cb\n`,
    )
    const crlf = FILE.replaceAll('\n', '\r\n')
    expect(add(crlf)).toBe(add(FILE).replaceAll('\n', '\r\n'))
    expect(set(crlf)).toBe(set(FILE).replaceAll('\n', '\r\n'))
    expect(add('clients:\n  app: {}')).toBe(`clients:\n  app: {}\n${NEW.trimEnd()}`)
  })

  it('what an anchor stands for stays an alias', () => {
    const text = 'x: &uris [https://a.example/cb]\nclients:\n  app:\n    redirect_uris: *uris\n'
    expect(add(text)).toBe(text + NEW)
    expect(set(text)).toBe(`${text}    client_secrets:\n      - sha256: x\n`)
  })

  const OTHERS: [name: string, text: string, expected: string][] = [
    ['no clients', '# head\nissuer: x # y\n', `# head\nissuer: x # y\nclients:\n${NEW}`],
    [
      'clients without any',
      'clients: {}\n',
      'clients: { new: { redirect_uris: [ https://new.example/cb ] } }\n',
    ],
    [
      'clients in braces',
      'clients: { app: { scope: a } } # c\n',
      'clients: { app: { scope: a }, new: { redirect_uris: [ https://new.example/cb ] } } # c\n',
    ],
  ]
  it.each(OTHERS)('%s', (_name, text, expected) => {
    expect(add(text)).toBe(expected)
  })

  it('an app in braces is written anew alone', () => {
    const text = 'a:   1 # x\nclients:\n  app: { client_secret: s } # y\n  b:   {}\n'
    expect(set(text)).toBe(
      'a:   1 # x\nclients:\n  app: { client_secret: s, client_secrets: [ { sha256: x } ] } # y\n  b:   {}\n',
    )
  })
})

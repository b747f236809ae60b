// What is heard before the adapter can act on it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openConfigSource, type ConfigSource } from './config-source.ts'

const SETTINGS = {
  issuer: 'http://127.0.0.1:9000',
  upstreams: {
    up: {
      kind: 'oidc',
      issuer: 'https://up.test',
      client_id: 'a',
      client_secret: '${file:up.secret}',
    },
  },
  clients: {},
}

let folder: string
let source: ConfigSource
let told: string[]

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  folder = mkdtempSync(join(tmpdir(), 'auth-adapter-source-'))
  writeFileSync(join(folder, 'up.secret'), 'one')
  const file = join(folder, 'auth-adapter.yaml')
  writeFileSync(file, JSON.stringify(SETTINGS))
  source = openConfigSource({ file, env: {} })
  told = []
})
afterEach(async () => {
  vi.useRealTimers()
  await source.close()
  rmSync(folder, { recursive: true, force: true })
})

const listen = () => source.onChange((trigger) => void told.push(trigger))
const look = () => void vi.advanceTimersByTime(3000)

describe(openConfigSource, () => {
  it('tells later what came before anybody listened, each once', () => {
    process.emit('SIGHUP')
    process.emit('SIGHUP')
    writeFileSync(join(folder, 'auth-adapter.yaml'), 'changed')
    look()
    listen()
    expect(told).toEqual(['signal', 'file'])
  })

  it('tells of a file that the configuration takes text from', () => {
    listen()
    writeFileSync(join(folder, 'up.secret'), 'another')
    look()
    expect(told).toEqual(['file'])
  })

  it('hears nothing after its end', async () => {
    listen()
    const before = process.listenerCount('SIGHUP')
    await source.close()
    expect(process.listenerCount('SIGHUP')).toBe(before - 1)
    writeFileSync(join(folder, 'up.secret'), 'another')
    look()
    expect(told).toEqual([])
  })
})

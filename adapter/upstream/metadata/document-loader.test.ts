import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { makeKey } from '../test-support/evil-idp.ts'
import { useEvilIdp } from '../test-support/fixture.ts'
import { createDocumentLoader } from './document-loader.ts'

const fixture = useEvilIdp()
const MINUTE = 60_000
const DISCOVERY = '/.well-known/openid-configuration'
const count = (path: string) => fixture.idp.count(`GET ${path}`)
/** A renewal goes on behind the back of the login that saw the need. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

/** Lets its own answer through, with these headers in front. */
const withHeaders =
  (headers: Record<string, string>) => (_request: IncomingMessage, response: ServerResponse) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    return false
  }

/** How often a document was asked for after so many minutes, with a login each minute. */
async function asked(path: string, headers: Record<string, string>, minutes: number) {
  let now = Date.now()
  fixture.idp.behaviour = { answer: { [path]: withHeaders(headers) } }
  const { login } = fixture.open({ now: () => now, config: { clock_tolerance: '300s' } })
  const skew = () => (fixture.idp.clockOffsetMs = now - Date.now())
  for (let minute = 0; minute <= minutes; minute += 1) {
    skew()
    await login()
    await settled()
    now += MINUTE
  }
  return count(path)
}

describe(createDocumentLoader, () => {
  it('keys that say a year are fetched again within the hour', async () => {
    expect(await asked('/jwks', { 'cache-control': 'max-age=31536000' }, 49)).toBe(1)
    fixture.idp.requests.length = 0
    expect(await asked('/jwks', { 'cache-control': 'max-age=31536000' }, 59)).toBe(2)
  }, 30_000)

  it('keys that say no-store are fetched once a minute at most', async () => {
    expect(await asked('/jwks', { 'cache-control': 'no-store' }, 10)).toBeLessThanOrEqual(11)
    expect(count('/jwks')).toBeGreaterThan(5)
  }, 30_000)

  it('metadata that says a minute is fetched each five minutes at most, and one that says a day hourly no more', async () => {
    expect(await asked(DISCOVERY, { 'cache-control': 'max-age=60' }, 11)).toBe(3)
    fixture.idp.requests.length = 0
    let now = Date.now()
    fixture.idp.behaviour = {
      answer: { [DISCOVERY]: withHeaders({ 'cache-control': 'max-age=86400' }) },
    }
    const { begin } = fixture.open({ now: () => now })
    await begin()
    now += 23 * 60 * MINUTE
    await begin()
    await settled()
    expect(count(DISCOVERY)).toBe(1)
    now += 2 * 60 * MINUTE
    await begin()
    await settled()
    expect(count(DISCOVERY)).toBe(2)
  }, 30_000)

  it('asks by the ETag, and a 304 renews what there is', async () => {
    let now = Date.now()
    const conditions: unknown[] = []
    fixture.idp.behaviour = {
      answer: {
        '/jwks': ({ headers }, response) => {
          conditions.push(headers['if-none-match'])
          response.setHeader('etag', '"one"')
          return headers['if-none-match'] === '"one"' && response.writeHead(304).end()
        },
      },
    }
    const { login } = fixture.open({ now: () => now, config: { clock_tolerance: '300s' } })
    for (let hour = 0; hour < 3; hour += 1) {
      fixture.idp.clockOffsetMs = now - Date.now()
      expect(await login()).toMatchObject({ sub: 'testuser' })
      now += 61 * MINUTE
    }
    expect(conditions).toEqual([undefined, '"one"', '"one"'])
  })

  it('F07 a key that is not in a set that is still fresh is looked for all the same', async () => {
    fixture.idp.behaviour = {
      answer: { '/jwks': withHeaders({ 'cache-control': 'max-age=31536000', etag: '"one"' }) },
    }
    const { login } = fixture.open()
    await login()
    fixture.idp.keys = [await makeKey('key-2')]
    expect(await login()).toMatchObject({ sub: 'testuser' })
    expect(count('/jwks')).toBe(2)
  })

  it('keeps no ETag of a document that could not be used', async () => {
    const conditions: unknown[] = []
    let isBroken = true
    fixture.idp.behaviour = {
      answer: {
        '/jwks': ({ headers }, response) => {
          conditions.push(headers['if-none-match'])
          response.setHeader('etag', '"one"')
          return (
            isBroken &&
            response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":1}')
          )
        },
      },
    }
    const { login } = fixture.open()
    await login().catch(() => {})
    isBroken = false
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await login()).toMatchObject({ sub: 'testuser' })
    expect(conditions).toEqual([undefined, undefined])
  })
})

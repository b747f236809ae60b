import { describe, expect, it } from 'vitest'
import { clientAuthFrom } from './token-request.ts'
import { upstreamConfig } from '../test-support/login.ts'

/** What goes out as the Authorization header, taken out of its base64. */
function credentials(client_id: string, client_secret: string): string {
  const config = upstreamConfig('http://127.0.0.1:1', { client_id, client_secret })
  const headers = new Headers()
  clientAuthFrom('up', config)({} as never, { client_id }, new URLSearchParams(), headers)
  return Buffer.from(headers.get('authorization')?.split(' ')[1] ?? '', 'base64').toString()
}

const decoded = (pair: string) =>
  pair.split(':').map((part) => new URLSearchParams(`x=${part}`).get('x'))

describe('client_secret_basic', () => {
  it('leaves what needs no encoding, for servers that forget to decode', () => {
    expect(credentials('my-client_1.example', 'S3cret-with_dots.and-dashes')).toBe(
      'my-client_1.example:S3cret-with_dots.and-dashes',
    )
  })

  it.each([
    ['a:b', 'c:d'],
    ['id', 'p%41 +/=&~é名'],
  ])('%s and %s arrive whole at servers that decode (RFC 6749, section 2.3.1)', (id, secret) => {
    expect(decoded(credentials(id, secret))).toEqual([id, secret])
  })
})

import { describe, expect, it } from 'vitest'
import { nearestName } from './nearest-name.ts'

const NAMES = ['issuer', 'listen', 'client_id', 'client_uri', 'client_secret', 'redirect_uris']

describe('nearestName', () => {
  it.each([
    ['isuer', 'issuer'],
    ['lisetn', 'listen'],
    ['cleint_id', 'client_id'],
    ['client-id', 'client_id'],
    ['CLIENT_URI', 'client_uri'],
    ['redirect_uri', 'redirect_uris'],
    ['clientsecret', 'client_secret'],
  ])('%s is close to %s', (mistyped, meant) => {
    expect(nearestName(mistyped, NAMES)).toBe(meant)
  })

  it('says nothing when nothing is close', () => {
    for (const name of ['port', '', 'zzzzzz', 'x'.repeat(100_000)])
      expect(nearestName(name, NAMES)).toBeUndefined()
  })
})

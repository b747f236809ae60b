import { describe, expect, it } from 'vitest'
import { claimsForClient, doesFor, mapClientClaims, MAX_CLIENTS_LENGTH } from './client-claims.ts'
import { MAX_CLAIMS_LENGTH } from './map-claims.ts'

const sources = { idToken: { dept: 'R&D', groups: ['app-user'], long: 'x'.repeat(4000) } }
const base = { name: 'Ada', roles: ['USER'] }

describe('what one client gets', () => {
  const { clientClaims, faults } = mapClientClaims(
    {
      payroll: {
        department: 'dept',
        roles: { from: 'groups', values: { staff: 'STAFF' } },
        name: { constant: 'Countess', in: ['userinfo'] },
      },
    },
    base,
    sources,
    'payroll',
  )
  const minted = { claims: base, claimTargets: { name: ['id_token'] as const }, clientClaims }

  it('its own rules win claim by claim, also where nothing results of them', () => {
    expect(faults).toEqual([])
    expect({ ...claimsForClient('access_token', minted, 'payroll') }).toEqual({ department: 'R&D' })
    expect({ ...claimsForClient('userinfo', minted, 'payroll') }).toEqual({
      department: 'R&D',
      name: 'Countess',
    })
  })

  it('no other client gets any of it', () => {
    for (const other of ['app', undefined, 'constructor', '__proto__']) {
      expect({ ...claimsForClient('access_token', minted, other) }).toEqual({ roles: ['USER'] })
      expect({ ...claimsForClient('id_token', minted, other) }).toEqual(base)
      expect(doesFor(minted, other)).toBe(true)
    }
  })
})

describe('what can not be minted for a client', () => {
  const required = { email: { required: true } }

  it('fails its own sign-in, and only its own', () => {
    const own = mapClientClaims({ app: required }, base, sources, 'app')
    expect(own.faults).toEqual(['Claim "email" is required, and the upstream did not send it'])
    const another = mapClientClaims({ app: required, other: {} }, base, sources, 'other')
    expect(another.faults).toEqual([])
    const minted = { claims: base, clientClaims: another.clientClaims }
    expect([doesFor(minted, 'app'), doesFor(minted, 'other'), doesFor(minted, 'x')]).toEqual([
      false,
      true,
      true,
    ])
  })

  it('what all clients get counts into the size of its tokens, but for what it replaces', () => {
    const large = { groups: 'x'.repeat(MAX_CLAIMS_LENGTH - 1000) }
    const rules = { long: 'long' }
    expect(mapClientClaims({ app: rules }, large, sources, 'app').faults).toEqual([
      'Claim "long" is too large',
    ])
    const replacing = { ...rules, groups: { constant: 'none' } }
    expect(mapClientClaims({ app: replacing }, large, sources, 'app').faults).toEqual([])
  })

  it('many clients: the one that signs in has room, and those that have none sign in for themselves', () => {
    const clients = Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [`app-${index}`, { long: 'long' }]),
    )
    const { clientClaims } = mapClientClaims(clients, base, sources, 'app-19')
    expect(JSON.stringify(clientClaims).length).toBeLessThan(MAX_CLIENTS_LENGTH + 1000)
    const minted = { claims: base, clientClaims }
    expect([
      doesFor(minted, 'app-19'),
      doesFor(minted, 'app-0'),
      doesFor(minted, 'app-18'),
    ]).toEqual([true, true, false])
  })
})

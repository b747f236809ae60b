import { describe, expect, it } from 'vitest'
import { claimsByScope, claimsForScope } from './scopes.ts'

const demo = ['test_auth_server_sub', 'preferred_username', 'name', 'authorities']

describe('claimsByScope', () => {
  it('C09 scopes: groups the standard claims as OpenID Connect Core does and the rest with openid', () => {
    expect(claimsByScope([...demo, 'email', 'phone_number', 'address'])).toEqual({
      openid: ['sub', 'test_auth_server_sub', 'authorities'],
      profile: ['preferred_username', 'name'],
      email: ['email'],
      phone: ['phone_number'],
      address: ['address'],
    })
  })

  it('names each claim once, and no scope that releases nothing', () => {
    expect(claimsByScope(['name', 'name', 'sub'])).toEqual({ openid: ['sub'], profile: ['name'] })
  })
})

describe('claimsForScope', () => {
  const claims = { name: 'Test User', authorities: ['ROLE_USER'], email: 'a@example.org' }

  it('C09 scopes: releases claims only as granted', () => {
    expect({ ...claimsForScope('openid profile read', claims) }).toEqual({
      name: 'Test User',
      authorities: ['ROLE_USER'],
    })
    expect({ ...claimsForScope('openid', claims) }).toEqual({ authorities: ['ROLE_USER'] })
  })

  it('releases nothing without openid', () => {
    expect({ ...claimsForScope('profile email', claims) }).toEqual({})
  })
})

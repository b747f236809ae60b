import { describe, expect, it } from 'vitest'
import { askedConsent, isCovered } from './asked-consent.ts'

const ASKABLE = { scope: 'openid profile read', minted: ['name', 'email', 'team'] }

describe(askedConsent, () => {
  it.each([
    ['scopes', { scope: 'openid  read' }, ['scope:openid', 'scope:read']],
    ['scopes that the app may not have', { scope: 'openid admin' }, ['scope:openid']],
    ['nothing', {}, []],
    [
      'claims of a scope that it may have',
      { claims: '{"userinfo":{"name":null,"email":null},"id_token":{"acr":null,"name":null}}' },
      ['claim:name'],
    ],
    ['claims that there are not', { claims: '{"userinfo":{"Press allow now":null}}' }, []],
    ['claims of a member that means nothing', { claims: '{"other":{"team":null}}' }, []],
    [
      'a member that is no object',
      { claims: '{"userinfo":{"team":null},"x":"y"}' },
      ['claim:team'],
    ],
    ['no claims', { claims: '{"userinfo":null}' }, []],
    ['the app itself', { resource: 'urn:auth-adapter:client' }, []],
    [
      'resources',
      { resource: ['https://a', 'https://b'] },
      ['resource:https://a', 'resource:https://b'],
    ],
  ])('%s', (_name, params, items) => {
    expect(askedConsent(params, ASKABLE)).toEqual(items)
  })
})

describe(isCovered, () => {
  it.each([
    [['scope:openid'], ['scope:openid', 'scope:read'], true],
    [['scope:openid', 'scope:read'], ['scope:openid'], false],
    [['claim:email'], ['scope:email'], false],
    [[], ['scope:openid'], true],
    [[], [], false],
  ] as const)('%j by %j: %s', (asked, given, covered) => {
    expect(isCovered(asked, given)).toBe(covered)
  })
})

import { readFileSync } from 'node:fs'
import { buildSchema, parse, validate, validateSchema } from 'graphql'
import { describe, expect, it } from 'vitest'
import { meOf } from './answers.ts'
import { TYPE_DEFINITIONS } from './schema.ts'

const schema = buildSchema(TYPE_DEFINITIONS)
const PAGE = readFileSync(new URL('../../docs/graphql.md', import.meta.url), 'utf8')

describe('the schema', () => {
  it('is a valid one', () => {
    expect(validateSchema(schema)).toEqual([])
  })

  it('can answer what the page shows', () => {
    const shown = [
      ...PAGE.matchAll(/^```graphql\n(.*?)^```/gms),
      ...PAGE.matchAll(/"query": "(.*?)",$/gm),
    ].map(([, query = '']) => query)
    expect(shown).toHaveLength(2)
    for (const query of shown) expect(validate(schema, parse(query))).toEqual([])
  })
})

describe(meOf, () => {
  const principal = {
    via: 'cookie',
    subject: 'testuser',
    accessToken: 'not shown',
    expiresAt: 0,
    clients: ['client'],
    loginKey: 'key',
  } as const

  it('tells what the access token says of a person', () => {
    const claims = {
      name: 'Test User',
      preferred_username: 'testuser',
      authorities: ['ROLE_USER'],
      scope: 'openid profile',
    }
    expect(meOf({ ...principal, claims })).toEqual({
      subject: 'testuser',
      name: 'Test User',
      username: 'testuser',
      authorities: ['ROLE_USER'],
      scopes: ['openid', 'profile'],
      clients: ['client'],
      via: 'COOKIE',
      expiresAt: '1970-01-01T00:00:00.000Z',
    })
  })

  it('leaves out what is not there or of another kind', () => {
    const claims = { name: 1, authorities: ['ROLE_USER', 2, null], scope: [] }
    expect(meOf({ ...principal, claims })).toMatchObject({
      name: undefined,
      username: undefined,
      authorities: ['ROLE_USER'],
      scopes: [],
    })
  })
})

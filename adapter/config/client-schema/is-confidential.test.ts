import { describe, expect, it } from 'vitest'
import { authMethodOf, isConfidential } from './is-confidential.ts'

const jwks = { keys: [] }

describe('how an app proves itself', () => {
  it.each([
    [{}, 'none'],
    [{ client_secret: 's' }, 'client_secret_basic'],
    [{ jwks }, 'private_key_jwt'],
    [
      { client_secret: 's', token_endpoint_auth_method: 'client_secret_post' },
      'client_secret_post',
    ],
    // Its keys are for something else then.
    [{ jwks, token_endpoint_auth_method: 'none' }, 'none'],
    [
      { jwks, client_secret: 's', token_endpoint_auth_method: 'private_key_jwt' },
      'private_key_jwt',
    ],
  ] as const)('%j: %s', (client, method) => {
    expect(authMethodOf(client as Parameters<typeof authMethodOf>[0])).toBe(method)
    expect(isConfidential(client as Parameters<typeof authMethodOf>[0])).toBe(method !== 'none')
  })
})

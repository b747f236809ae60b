import { errors } from 'oidc-provider'
import { describe, expect, it } from 'vitest'
import { StorageError } from '../errors.ts'
import { asOAuthError, oauthErrors, StorageUnavailable, translated } from './oauth-errors.ts'

const rejected = (work: Promise<unknown>) =>
  work.then(
    () => 'resolved',
    (error: unknown) => error,
  )

describe('what the store says, in OAuth’s words', () => {
  it.each(['unavailable', 'unusable'] as const)(
    '%s: temporarily_unavailable, 503, shown and not redirected, with its cause',
    (code) => {
      const cause = new StorageError(code, 'for operators')
      const error = asOAuthError(cause)
      expect(error).toBeInstanceOf(StorageUnavailable)
      expect(error).toMatchObject({
        error: 'temporarily_unavailable',
        statusCode: 503,
        expose: true,
        allow_redirect: false,
        cause,
      })
      expect((error as StorageUnavailable).error_description).not.toContain('for operators')
    },
  )

  it('A20 already consumed: invalid_grant', () => {
    expect(asOAuthError(new StorageError('already_consumed', 'x'))).toBeInstanceOf(
      errors.InvalidGrant,
    )
  })

  it('anything else stays what it is', () => {
    for (const error of [new TypeError('x'), new errors.InvalidClient(), 'text', undefined])
      expect(asOAuthError(error)).toBe(error)
  })
})

describe('translated', () => {
  const store = {
    kind: 'a property',
    prefix: 'p:',
    async get(key: string) {
      return this.prefix + key
    },
    async fail() {
      throw new StorageError('unavailable', 'x')
    },
    failAtOnce() {
      throw new StorageError('unavailable', 'x')
    },
  }

  it('passes answers, parameters, properties and `this` through', async () => {
    const same = translated(store)
    expect([await same.get('k'), same.kind]).toEqual(['p:k', 'a property'])
  })

  it('turns rejections and throws into OAuth errors', async () => {
    const same = translated(store) as unknown as {
      fail(): Promise<void>
      failAtOnce(): Promise<void>
    }
    expect(await rejected(same.fail())).toBeInstanceOf(StorageUnavailable)
    expect(await rejected(same.failAtOnce())).toBeInstanceOf(StorageUnavailable)
  })

  it('works on what an adapter factory makes', async () => {
    const adapter = oauthErrors((() => store) as never)('Session') as unknown as typeof store
    expect(await rejected(adapter.fail())).toBeInstanceOf(StorageUnavailable)
  })
})

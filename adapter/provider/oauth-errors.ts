// What the store says, in OAuth's words: a lost compare-and-set is invalid_grant, a store that does not answer is
// temporarily_unavailable with 503. Everything else passes as it is.
import { errors, type AdapterFactory } from 'oidc-provider'
import { StorageError } from '../errors.ts'

/** RFC 6749, section 4.1.2.1 names the error; at the token endpoint it comes with 503. */
export class StorageUnavailable extends errors.OIDCProviderError {
  // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
  override error_description = 'the service can not reach its storage, try again shortly'
  // The end-user sees our page: a redirect would send them away while nothing can be told about their session.
  override allow_redirect = false
  override expose = true
  constructor(cause: unknown) {
    super(503, 'temporarily_unavailable', { cause } as never)
  }
}

/** The same adapter factory, with StorageErrors translated. */
export function oauthErrors(factory: AdapterFactory): AdapterFactory {
  return (name) => translated(factory(name))
}

/** The same object; its asynchronous methods reject with OAuth's errors instead of StorageErrors. */
export function translated<T extends object>(target: T): T {
  return new Proxy(target, {
    get: (object, property) => {
      const method = Reflect.get(object, property) as unknown
      return typeof method === 'function' ? translatedMethod(object, method as Method) : method
    },
  })
}

type Method = (...parameters: unknown[]) => unknown

function translatedMethod(object: object, method: Method): Method {
  return async (...parameters) => {
    try {
      return await method.apply(object, parameters)
    } catch (error) {
      throw asOAuthError(error)
    }
  }
}

export function asOAuthError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error
  return error.code === 'already_consumed'
    ? new errors.InvalidGrant('already used')
    : new StorageUnavailable(error)
}

// Token exchange, introspection and revocation at the adapter, for tokens of the identity service.
import * as client from 'openid-client'
import { keepKeys, keepMetadata } from './adapter-metadata.ts'
import type { AdapterOptions } from './adapter-metadata.ts'
import type { ExchangedToken, TokenExchange } from './exchanged-tokens.ts'
import { SignInError } from './sign-in-error.ts'
import { signInError } from './translate-error.ts'

// https://www.rfc-editor.org/rfc/rfc8693#section-2.1
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
// https://www.rfc-editor.org/rfc/rfc8693#section-3
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'

export function createTokenExchange(options: AdapterOptions): TokenExchange {
  const metadata = keepMetadata(options)
  const configure = keepKeys(options)
  async function asking<T>(ask: (config: client.Configuration) => Promise<T>): Promise<T> {
    const { config } = configure(await metadata.known())
    return ask(config).catch(refuse)
  }
  return {
    exchange: (subjectToken, resource) =>
      asking((config) => exchange(config, options, { subjectToken, resource })),
    isActive: async (token) =>
      (await asking((config) => client.tokenIntrospection(config, token, {}))).active,
    revoke: (token) => asking((config) => client.tokenRevocation(config, token)),
  }
}

async function exchange(
  config: client.Configuration,
  { now }: AdapterOptions,
  { subjectToken, resource }: { subjectToken: string; resource: string | undefined },
): Promise<ExchangedToken> {
  const askedAt = now()
  const answer = await client.genericGrantRequest(config, TOKEN_EXCHANGE, {
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    ...(resource === undefined ? {} : { resource }),
  })
  const seconds = answer.expiresIn()
  if (seconds === undefined || answer['issued_token_type'] !== ACCESS_TOKEN)
    throw new SignInError('answer_invalid', 'The adapter exchanged for no access token that ends')
  return { token: answer.access_token, expiresAt: askedAt + seconds * 1000 }
}

/** What the adapter refuses here is a token, not a code. */
function refuse(error: unknown): never {
  const known = signInError(error)
  if (known.code !== 'code_refused') throw known
  throw new SignInError('sign_in_refused', known.message, { oauth: known.oauth, cause: error })
}

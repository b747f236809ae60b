// What the file says of the tokens that one app may exchange (RFC 8693). Part of the schema in client-schema.ts.
import { z } from 'zod'
import { name, scope } from '../setting-types.ts'

const upstreamToken = z.strictObject({
  upstream: name.describe('Whose people: only those who signed in there.'),
  audience: z
    .string()
    .min(1)
    .max(512)
    .describe('The service that the token is for, as the app asks for it (`audience`).'),
  scope: scope.describe(
    'All that the token may be good for. The upstream is asked for it, or for less where the app wants less.',
  ),
})

export const tokenExchange = z
  .strictObject({
    upstream_tokens: z
      .array(upstreamToken)
      .prefault([])
      .describe(
        'Access tokens of an upstream that the app may have for an access token of ours. The upstream has to give us refresh tokens.',
      ),
  })
  .optional()
  .describe('Tokens that the app may exchange; absent: none. See `docs/token-exchange.md`.')

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

const acceptedToken = z.strictObject({
  upstream: name.describe('Whose tokens; of `kind: oidc`.'),
  token_types: z
    .array(z.enum(['id_token', 'access_token']))
    .min(1)
    .prefault(['id_token'])
    .describe('Which of its tokens. An access token has to be a signed JWT.'),
  audiences: z
    .array(z.string().min(1).max(512))
    .min(1)
    .optional()
    .describe('Whom its tokens may be for (`aud`). Absent: our own `client_id` there.'),
  authorized_parties: z
    .array(z.string().min(1).max(512))
    .min(1)
    .optional()
    .describe(
      'To whom its access tokens may have been given (`azp`, `client_id`, `cid`, `appid`); one that does not say it is refused. Absent: the `audiences`, or a token that does not say it.',
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
    accepts_upstream_tokens: z
      .array(acceptedToken)
      .prefault([])
      .describe('Tokens of an upstream for which the app gets an access token of ours.'),
  })
  .optional()
  .describe('Tokens that the app may exchange; absent: none. See `docs/token-exchange.md`.')

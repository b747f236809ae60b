// What the file says of one app. Part of the schema in schema.ts; rules between settings belong to check-config.ts.
import { z } from 'zod'
import { accessToken } from './client-schema/access-token.ts'
import { authorizationRequest } from './client-schema/authorization-request.ts'
import { claimRule } from './claim-rule.ts'
import { clientAuthentication } from './client-schema/client-authentication.ts'
import { consentSettings } from './client-schema/consent-settings.ts'
import { logoutSettings } from './client-schema/logout-settings.ts'
import { refresh } from './client-schema/refresh.ts'
import { tokenExchange } from './client-schema/token-exchange.ts'
import { name, scope } from './setting-types.ts'

export const client = z.strictObject({
  client_name: z.string().min(1).max(80).optional().describe('What people read on our pages.'),
  client_uri: z.url().optional().describe("The app's start page: the way on from our pages."),
  ...clientAuthentication,
  redirect_uris: z
    .array(z.url())
    .prefault([])
    .describe(
      'Where codes may be sent. Compared character by character. Required with `authorization_code`.',
    ),
  grant_types: z
    .array(
      z.enum([
        'authorization_code',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
      ]),
    )
    .min(1)
    .prefault(['authorization_code'])
    .describe(
      'The ways to its tokens: a sign-in, its own secret with nobody signed in, or a sign-in on another screen (device authorization). Refreshing is in `refresh`.',
    ),
  post_logout_redirect_uris: z
    .array(z.url())
    .prefault([])
    .describe('Where people may be sent after logout.'),
  ...consentSettings,
  ...logoutSettings,
  scope: scope.prefault('openid').describe('The scopes that the app may ask for.'),
  pkce: z
    .enum(['required', 'optional'])
    .prefault('required')
    .describe(
      'Whether each sign-in must carry a PKCE S256 challenge. `optional` is for old confidential clients only.',
    ),
  ...authorizationRequest,
  upstreams: z
    .array(name)
    .min(1)
    .optional()
    .describe('The upstreams that its people may sign in with. Absent: all of them.'),
  subject: z
    .enum(['public', 'pairwise'])
    .prefault('public')
    .describe(
      'The `sub` that the app sees: the same as all others (`public`), or a pseudonym of its own (`pairwise`).',
    ),
  sector: z
    .string()
    .max(253)
    .regex(/^[a-z0-9.-]+$/, 'Expected a host name in lower case')
    .optional()
    .describe(
      'With `subject: pairwise`: apps of one sector see the same pseudonyms. Absent: the host of its redirect URIs.',
    ),
  claims: z
    .record(z.string().min(1).max(128), claimRule)
    .prefault({})
    .describe(
      'Claims for this app alone: the same rules as `upstreams.*.claims`, over which they win claim by claim.',
    ),
  refresh,
  exchange: tokenExchange,
  access_token: accessToken.prefault({}).describe('Its access tokens.'),
})

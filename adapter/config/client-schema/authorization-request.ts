// What the file says of the way an app asks for a sign-in, and of what its tokens are bound to. Part of the schema in client-schema.ts.
import { z } from 'zod'

export const authorizationRequest = {
  profile: z
    .enum(['fapi2'])
    .optional()
    .describe(
      'Sets all that a specification asks of an app. `fapi2`: the FAPI 2.0 Security Profile, with keys (`jwks`), pushed requests and tokens bound by DPoP. See `docs/fapi2.md`.',
    ),
  require_pushed_authorization_requests: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the app must push each request to `/oauth2/par` before it sends the browser (RFC 9126). Every app may. See `docs/fapi2.md`.',
    ),
  require_signed_request_object: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the app must sign each request with one of its keys (`request`, RFC 9101). Every app with `jwks` may. See `docs/fapi2.md`.',
    ),
  dpop_bound_access_tokens: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the app gets tokens only with a DPoP proof, bound to its key (RFC 9449). Every app may send one. See `docs/fapi2.md`.',
    ),
}

// What the file says of the way an app asks for a sign-in. Part of the schema in client-schema.ts.
import { z } from 'zod'

export const authorizationRequest = {
  require_pushed_authorization_requests: z
    .boolean()
    .prefault(false)
    .describe(
      'Whether the app must push each request to `/oauth2/par` before it sends the browser (RFC 9126). Every app may. See `docs/fapi2.md`.',
    ),
}

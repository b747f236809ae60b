// How an app learns that a person signed out somewhere else.
import { z } from 'zod'

export const logoutSettings = {
  backchannel_logout_uri: z
    .url()
    .optional()
    .describe(
      "Where the app's server takes logout tokens (OpenID Connect Back-Channel Logout). https, or http on loopback. Told at once, and again for an hour while it does not answer 200.",
    ),
  backchannel_logout_session_required: z
    .boolean()
    .prefault(true)
    .describe(
      'Whether its ID and logout tokens name the session (`sid`). Without it a logout token is about all sessions of the person.',
    ),
  frontchannel_logout_uri: z
    .url()
    .optional()
    .describe(
      'A page of the app that signs the browser out, loaded in a frame with `iss` and `sid`. Used only where there is no `backchannel_logout_uri`.',
    ),
}

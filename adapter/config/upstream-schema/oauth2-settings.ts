// An upstream that speaks plain OAuth 2.0.
import { z } from 'zod'
import { scope } from '../setting-types.ts'
import { clientSettings } from './client-settings.ts'
import { oauth2Context } from './context-settings.ts'
import { exchangeSettings } from './exchange-settings.ts'
import { peopleSettings } from './people-settings.ts'

const oauth2Endpoints = z.strictObject({
  authorization: z.url().describe('Where browsers are sent.'),
  token: z.url().describe('Where we redeem codes.'),
  userinfo: z.url().describe('Where we ask, with the access token, who the person is.'),
  emails: z
    .url()
    .optional()
    .describe(
      "A list of the person's addresses in GitHub's form. `email` is then the one that is primary and verified, and no other.",
    ),
})

export const oauth2Settings = z.strictObject({
  kind: z
    .literal('oauth2')
    .describe(
      '`oauth2` is plain OAuth 2.0: no ID token; who the person is comes from an endpoint.',
    ),
  issuer: z
    .url()
    .describe(
      'The name of whoever vouches for its people: a URL that stays the same. Not fetched.',
    ),
  endpoints: oauth2Endpoints.describe('Where it is. https, or http on loopback.'),
  scope: scope.optional().describe('What we ask for. Absent: what the provider gives without.'),
  subject_claim: z
    .string()
    .min(1)
    .max(256)
    .prefault('id')
    .describe(
      'Where in the answer the subject is: a path (`data.id`) to a text or a whole number. One that never changes and is never given to another person.',
    ),
  context: oauth2Context,
  ...clientSettings,
  ...exchangeSettings,
  ...peopleSettings,
})

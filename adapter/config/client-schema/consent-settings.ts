// Whether people are asked before an app gets anything.
import { z } from 'zod'

export const consentSettings = {
  third_party: z
    .boolean()
    .prefault(false)
    .describe(
      'The app is run by somebody else: people are asked whether it may have what it asks for, once for each scope. See `docs/consent.md`.',
    ),
}

export const scopeDescriptions = z
  .record(z.string().min(1).max(128), z.string().min(1).max(200))
  .prefault({})
  .describe(
    'What a scope lets an app do, in words for the consent page: `read: See your orders`. The standard scopes have theirs.',
  )

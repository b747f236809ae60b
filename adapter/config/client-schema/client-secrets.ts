// The hashes of an app's secrets. A hash of 256 random bits tells nobody the secret, so that it may stand in the file.
import { z } from 'zod'

/** A time without its zone would be another one on each machine. */
const DATE = /^\d{4}-\d{2}-\d{2}(T\S+(Z|[+-]\d{2}:\d{2}))?$/

const date = z
  .string()
  .refine(
    (text) => DATE.test(text) && !Number.isNaN(Date.parse(text)),
    'Expected a date such as 2026-12-31 or 2026-12-31T18:00:00Z',
  )

export const clientSecrets = z
  .array(
    z.strictObject({
      sha256: z
        .string()
        .regex(
          /^([0-9a-fA-F]{64}|[A-Za-z0-9_-]{43})$/,
          'Expected a SHA-256: 64 hexadecimal digits, or 43 characters of base64url',
        )
        .describe('SHA-256 of the secret, hexadecimal or base64url.'),
      created: date.optional().describe('When it was made; for people.'),
      expires: date
        .optional()
        .describe('From when on it is no longer good. A day begins at midnight UTC.'),
    }),
  )
  .min(1)
  .max(2)
  .optional()
  .describe(
    'The SHA-256 of its secrets, one or two: while one replaces the other both are good. `auth-adapter client add` and `rotate-secret` make them. The secrets themselves must be 256 random bits.',
  )

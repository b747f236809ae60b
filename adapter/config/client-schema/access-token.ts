// What the file says of access tokens: their form, by client and by resource, and the resources themselves. Part of the
// schema in schema.ts; rules between settings belong to checks/.
import { z } from 'zod'
import { duration, scope } from '../setting-types.ts'

const ttl = duration(10, 86_400)
/** An app may keep one for its own use, and ask about it each time. */
const resourceTtl = duration(10, 7 * 86_400)
const typ = z
  .enum(['at+jwt', 'JWT'])
  .describe('The type in its header: `JWT` for services that refuse the standard `at+jwt`.')
const format = z
  .enum(['jwt', 'opaque'])
  .describe(
    '`opaque`: a random text that says nothing; services ask the introspection endpoint what it stands for.',
  )

const alg = z
  .enum(['RS256', 'PS256', 'ES256', 'EdDSA'])
  .optional()
  .describe(
    'Algorithm of its signature. Absent: `keys.alg`. Another one needs a key of its own in `keys.file`.',
  )

export const accessToken = z.strictObject({
  typ: typ.prefault('at+jwt'),
  format: format.prefault('jwt'),
  alg,
  ttl: ttl.prefault('5m').describe('Lifetime of an access token.'),
})

export const resource = z.strictObject({
  audience: z
    .string()
    .min(1)
    .max(512)
    .optional()
    .describe('The `aud` of its tokens. Absent: the name of the resource.'),
  scope: scope.describe(
    'The scopes that its tokens may carry, of those that the client may ask for.',
  ),
  clients: z
    .array(z.string().min(1).max(128))
    .optional()
    .describe('The clients that may ask for tokens for it. Absent: all of them.'),
  resource_server: z
    .string()
    .min(1)
    .max(128)
    .optional()
    .describe('The client that is this service itself: it may introspect tokens for it.'),
  access_token: z
    .strictObject({
      typ: typ.optional(),
      format: format.optional(),
      alg,
      ttl: resourceTtl
        .optional()
        .describe(
          'Lifetime of an access token; up to `7d`, for services that ask for each whether it still holds.',
        ),
    })
    .prefault({})
    .describe('Its access tokens. What is absent is as the client says.'),
})

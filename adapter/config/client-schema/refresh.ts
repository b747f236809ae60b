// What the file says of one app's refresh tokens. Part of the schema in client-schema.ts.
import { z } from 'zod'
import { duration } from '../setting-types.ts'

export const refresh = z
  .strictObject({
    when: z
      .enum(['offline_access', 'always'])
      .prefault('offline_access')
      .describe(
        'When the app gets one: where it asks for the scope `offline_access`, or at each sign-in. One without that scope ends with the session.',
      ),
    rotation: z
      .enum(['always', 'never', 'public_only'])
      .prefault('public_only')
      .describe(
        'Whether a refresh token is replaced when it is used; `public_only`: those of apps without a secret.',
      ),
    grace: duration(0, 300)
      .prefault('60s')
      .describe(
        'How long a replaced refresh token gives its successor again, while nobody has used that one. `0s`: never.',
      ),
    idle: duration(600, 365 * 86_400)
      .prefault('14d')
      .describe('How long a refresh token lives unused.'),
    absolute: duration(600, 365 * 86_400)
      .prefault('30d')
      .describe('How long after the sign-in refreshing ends, however often it was done.'),
    coupling: z
      .enum(['cached', 'lease', 'strict'])
      .prefault('cached')
      .describe(
        'Whether a refresh follows the upstream: asked at each (`strict`), at most once per `lease`, or never (`cached`). Needs refresh tokens of the upstream.',
      ),
    lease: duration(10, 86_400)
      .prefault('5m')
      .describe('With `coupling: lease`: for how long what the upstream said will do.'),
    outage_grace: duration(0, 7 * 86_400)
      .prefault('1h')
      .describe(
        'With `coupling: lease`: how long beyond it an upstream that does not answer is borne.',
      ),
  })
  .optional()
  .describe('Refresh tokens for the app; absent: none. See `docs/refresh.md`.')

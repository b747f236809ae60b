// An upstream that speaks OpenID Connect with discovery.
import { z } from 'zod'
import { duration, scope } from '../setting-types.ts'
import { clientSettings } from './client-settings.ts'
import { oidcContext } from './context-settings.ts'
import { exchangeSettings } from './exchange-settings.ts'
import { peopleSettings } from './people-settings.ts'

const oidcEndpoints = z.strictObject({
  discovery: z
    .url()
    .optional()
    .describe('Where its metadata is; the issuer in it stays the one above.'),
  authorization: z.url().optional().describe('Where browsers are sent.'),
  token: z.url().optional().describe('Where we redeem codes.'),
  jwks: z.url().optional().describe('Where we fetch its keys.'),
  userinfo: z.url().optional().describe('Where we ask for userinfo.'),
})

export const oidcSettings = z.strictObject({
  kind: z
    .literal('oidc')
    .describe('The protocol it speaks: `oidc` is OpenID Connect with discovery.'),
  issuer: z
    .url()
    .describe(
      'Its issuer, exactly as its metadata says. https, or http on loopback. Discovered on first use. `{tenantid}` in it stands for the tenant, see `docs/providers/entra.md`.',
    ),
  allowed_tenants: z
    .union([
      z.literal('any'),
      z
        .array(
          z
            .string()
            .regex(
              /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
              'Expected the id of a tenant, in lower case: 8-4-4-4-12 hexadecimal digits',
            ),
        )
        .min(1),
    ])
    .optional()
    .describe(
      'Where the issuer holds `{tenantid}`: the tenants (`tid`) whose people may sign in. `any` lets in everybody with an account at the provider.',
    ),
  scope: scope.prefault('openid profile').describe('What we ask for. Contains `openid`.'),
  endpoints: oidcEndpoints
    .prefault({})
    .describe(
      'URLs that are not as its metadata says, for instance inside your network. https, or http on loopback.',
    ),
  userinfo: z
    .enum(['always', 'when_missing', 'never'])
    .prefault('never')
    .describe(
      'Whether to ask its userinfo endpoint too; `when_missing`: when a mapped claim is not in the ID token.',
    ),
  userinfo_required: z
    .boolean()
    .optional()
    .describe(
      'Whether a sign-in fails when userinfo is asked and can not be had. Absent: yes with `userinfo: always`, no with `when_missing`. An answer about somebody else always fails it.',
    ),
  id_token_algs: z
    .array(
      z.enum([
        'RS256',
        'RS384',
        'RS512',
        'PS256',
        'PS384',
        'PS512',
        'ES256',
        'ES384',
        'ES512',
        'EdDSA',
        'Ed25519',
      ]),
    )
    .min(1)
    .prefault(['RS256'])
    .describe('Signature algorithms accepted in its ID tokens. No other is.'),
  clock_tolerance: duration(0, 300)
    .prefault('30s')
    .describe('How far its clock and ours may differ.'),
  logout: z
    .enum(['always', 'ask', 'never'])
    .prefault('ask')
    .describe(
      'Whether people who sign out here are signed out there too: `always`, if they say so (`ask`), or `never`. Where it offers no logout, the page says that they may still be signed in.',
    ),
  context: oidcContext,
  ...clientSettings,
  ...exchangeSettings,
  ...peopleSettings,
})

// Who we are at an upstream: the preset it is written by, our client there, and how we authenticate.
import { z } from 'zod'
import { path, secret } from '../setting-types.ts'

export const clientSettings = {
  preset: z
    .enum(['google', 'entra', 'okta', 'auth0', 'keycloak', 'dex', 'gitlab', 'github', 'apple'])
    .optional()
    .describe(
      'Fills in what is known of this provider: kind, issuer, endpoints, scope, usual claims. What is written here wins. Pages in `docs/providers`.',
    ),
  tenant: z
    .string()
    .regex(
      /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|common|organizations|consumers)$/,
      'Expected the id of one tenant in lower case (8-4-4-4-12 hexadecimal digits), or common, organizations or consumers',
    )
    .optional()
    .describe(
      'With `preset: entra`: the directory (tenant) id; `organizations` or `common` for several, which are then named in `allowed_tenants`; `consumers` for personal accounts.',
    ),
  domain: z
    .string()
    .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/, 'Expected a host name in lower case')
    .optional()
    .describe('With `preset: okta` or `auth0`: the host name of your organization there.'),
  client_id: z.string().min(1).describe('Our client id there.'),
  client_secret: secret(
    'Our client secret there. Only with `client_auth_method: client_secret_basic` and `client_secret_post`.',
  ).optional(),
  client_auth_method: z
    .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'apple_jwt', 'none'])
    .prefault('client_secret_basic')
    .describe(
      'How we authenticate at its token endpoint. `apple_jwt`: a client secret as Apple wants it, made anew from the key each time.',
    ),
  client_key: path(
    'PEM (PKCS #8) or JWK file with our private key for `private_key_jwt` and `apple_jwt`: RSA from 2048 bits, P-256, P-384 or P-521. Read at start.',
  ).optional(),
  client_key_id: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("The key's `kid` there, where it is not in the JWK itself."),
  team_id: z
    .string()
    .regex(/^[A-Z0-9]{10}$/, 'Expected ten capital letters and digits')
    .optional()
    .describe('With `apple_jwt`: the id of our team at Apple.'),
}

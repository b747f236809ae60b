// What the file says of one upstream, by the kind of protocol it speaks. Part of the schema in schema.ts; rules between settings belong to check-config.ts.
import { z } from 'zod'
import { claimRule, requirements } from './claim-rule.ts'
import { duration, path, scope, secret } from './setting-types.ts'

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

const common = {
  preset: z
    .enum(['google', 'entra', 'okta', 'auth0', 'keycloak', 'dex', 'gitlab', 'github', 'apple'])
    .optional()
    .describe(
      'Fills in what is known of this provider: kind, issuer, endpoints, scope, usual claims. What is written here wins. Pages in `docs/providers`.',
    ),
  tenant: z
    .string()
    .regex(
      /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'Expected the id of one tenant, in lower case: 8-4-4-4-12 hexadecimal digits',
    )
    .optional()
    .describe(
      'With `preset: entra`: the directory (tenant) id. `common` and the like are not supported.',
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
  authorization_params: z
    .record(
      z.string().regex(/^[\x21-\x7e]{1,64}$/, 'Expected a parameter name'),
      z.string().max(1024),
    )
    .prefault({})
    .describe(
      'Parameters added to each authorization request, such as `hd: example.com`. What a sign-in itself asks for wins over them.',
    ),
  ca_file: path(
    'PEM file with the authorities that its certificates must come from, in place of the public ones. Read at start.',
  ).optional(),
  response_mode: z
    .enum(['query', 'form_post'])
    .prefault('query')
    .describe(
      'How it sends its answer back: in the URL, or as a form for those that insist on it (Apple).',
    ),
  display_name: z
    .string()
    .min(1)
    .max(80)
    .optional()
    .describe('What people read on the button of the chooser.'),
  domains: z
    .array(
      z
        .string()
        .regex(
          /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/,
          'Expected a domain in lower case, such as corp.example',
        ),
    )
    .prefault([])
    .describe(
      'E-mail domains of its people: a `login_hint`, a `domain_hint` or an address typed on the chooser leads here. Exact; subdomains are listed on their own.',
    ),
  subject: z
    .enum(['bare', 'prefixed', 'hashed'])
    .prefault('prefixed')
    .describe(
      'The `sub` that apps see: its own (`bare`, one upstream at most), `<name>:<sub>` (`prefixed`), or a hash of issuer and `sub` (`hashed`).',
    ),
  timeout: duration(1, 30).prefault('5s').describe('How long one request to it may take in all.'),
  claims: z
    .record(z.string().min(1).max(128), claimRule)
    .prefault({})
    .describe('Claims that we mint: name, and where the value comes from (a path, or a rule).'),
  require: requirements
    .optional()
    .describe('What must be true of people who sign in; all others get `access_denied`.'),
}

const oidc = z.strictObject({
  kind: z
    .literal('oidc')
    .describe('The protocol it speaks: `oidc` is OpenID Connect with discovery.'),
  issuer: z
    .url()
    .describe(
      'Its issuer, exactly as its metadata says. https, or http on loopback. Discovered on first use.',
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
  ...common,
})

const oauth2 = z.strictObject({
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
  ...common,
})

export const upstream = z.discriminatedUnion('kind', [oidc, oauth2])

// What this adapter does at each profile of the upstream test server. quirk-profiles.test.ts signs in by these rows, and
// docs/compatibility.md is written from them. Test code only.
import type { ProfileName } from '../../upstream-test-server/issuers/profiles.ts'

export interface QuirkCase {
  /** Lines of the upstream's entry, beside kind, issuer, client and, where it is plain OAuth 2.0, endpoints. */
  settings: readonly string[]
  /** One sentence, for people. */
  does: string
  expected:
    | {
        kind: 'signed_in'
        /** In the access token. */
        claims: Readonly<Record<string, unknown>>
        absent?: readonly string[]
        /** A logout here ends the session there, too. */
        signsOut?: boolean
      }
    | {
        kind: 'refused'
        /** What the app is told, or what the page says to the person. */
        error: string
        /** In the log line of the refusal. */
        log: { event: string; says: string }
      }
  /** Sign-ins in a row; default 1. */
  times?: number
}

const NAME = 'claims: { name: name }'

export const QUIRK_CASES: Readonly<Record<ProfileName, readonly QuirkCase[]>> = {
  'entra-no-email': [
    {
      settings: ['claims: { name: name, email: email, login: preferred_username, oid: oid }'],
      does: 'Signs in; the token has no `email`, and none is made up from the user name.',
      expected: {
        kind: 'signed_in',
        claims: { login: 'testuser@contoso.example', oid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301' },
        absent: ['email', 'email_verified'],
      },
    },
    {
      settings: ['claims: { email: { from: email, required: true } }'],
      does: 'Refuses where the claim is `required`.',
      expected: {
        kind: 'refused',
        error: 'server_error',
        log: { event: 'login.failed', says: 'email' },
      },
    },
    {
      settings: ['require: { email_domains: [contoso.example] }'],
      does: 'Refuses where the domain of an address is demanded: a user name is no address.',
      expected: {
        kind: 'refused',
        error: 'access_denied',
        log: { event: 'login.denied', says: 'email_domains' },
      },
    },
  ],
  'entra-group-overage': [
    {
      settings: ['claims: { name: name, groups: groups }'],
      does: 'Signs in without `groups`; the address in the token is not followed.',
      expected: { kind: 'signed_in', claims: { name: 'Test User' }, absent: ['groups'] },
    },
    {
      settings: ['require: { groups: [staff] }'],
      does: 'Refuses everybody whose groups do not come with the token; the log says that they are `elsewhere`.',
      expected: {
        kind: 'refused',
        error: 'access_denied',
        log: { event: 'login.denied', says: '"elsewhere":["groups"]' },
      },
    },
  ],
  'google-refresh-once': [
    {
      settings: ['scope: openid profile offline_access', NAME],
      does: 'Signs in the first time and the second, with and without one.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' } },
      times: 2,
    },
  ],
  'github-private-email': [
    {
      settings: ['scope: read:user user:email', 'claims: { name: name, email: email }'],
      does: 'Takes the address that is primary and verified from the list.',
      expected: {
        kind: 'signed_in',
        claims: { name: 'Tess Tuser', email: 'tess@code.example.test' },
      },
    },
  ],
  'github-form-token': [
    {
      settings: ['scope: read:user user:email', 'claims: { name: name, email: email }'],
      does: 'Reads the form.',
      expected: {
        kind: 'signed_in',
        claims: { name: 'Tess Tuser', email: 'tess@code.example.test' },
      },
    },
  ],
  'no-nonce': [
    {
      settings: [NAME],
      does: 'Refuses: such a token could be that of another sign-in.',
      expected: {
        kind: 'refused',
        error: 'server_error',
        log: { event: 'login.failed', says: 'nonce' },
      },
    },
  ],
  'key-rolled': [
    {
      settings: [NAME],
      does: 'Fetches the keys anew and signs in.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' } },
      times: 2,
    },
  ],
  'split-hosts': [
    {
      settings: [
        "endpoints: { discovery: '{internal}/.well-known/openid-configuration' }",
        'userinfo: always',
        NAME,
      ],
      does: 'Signs in with the internal address of the metadata; tokens are held against the issuer.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' } },
    },
  ],
  'userinfo-jwt': [
    {
      settings: ['userinfo: always', NAME],
      does: 'Verifies it as it does the ID token, by the same keys.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' } },
    },
  ],
  'nested-roles': [
    {
      settings: [
        'claims: { authorities: { from: realm_access.roles, values: { admin: ROLE_ADMIN } } }',
      ],
      does: 'Takes the roles by their path, and drops those that are not listed.',
      expected: { kind: 'signed_in', claims: { authorities: ['ROLE_ADMIN'] } },
    },
  ],
  'logout-needs-hint': [
    {
      settings: ['logout: always', NAME],
      does: 'Signs in, and out again: the logout carries the ID token of the sign-in.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' }, signsOut: true },
    },
  ],
  'raw-basic-credentials': [
    {
      settings: ['client_auth_method: client_secret_basic', NAME],
      does: 'Is refused as a client, and says which settings to look at.',
      expected: {
        kind: 'refused',
        error: 'server_error',
        log: { event: 'login.failed', says: 'client_auth_method' },
      },
    },
    {
      settings: ['client_auth_method: client_secret_post', NAME],
      does: 'Signs in.',
      expected: { kind: 'signed_in', claims: { name: 'testuser' } },
    },
  ],
  'no-preferred-username': [
    {
      settings: ['claims: { name: name, preferred_username: preferred_username }'],
      does: 'Signs in; the claim is not there, and is not made up.',
      expected: {
        kind: 'signed_in',
        claims: { name: 'Test User' },
        absent: ['preferred_username'],
      },
    },
    {
      settings: ['claims: { preferred_username: { from: preferred_username, default: nobody } }'],
      does: 'Mints the `default`.',
      expected: { kind: 'signed_in', claims: { preferred_username: 'nobody' } },
    },
  ],
  'opaque-sub': [
    {
      settings: ['subject: prefixed', 'claims: { upstream_sub: sub }'],
      does: 'Carries it on as it is, behind the name of the upstream.',
      expected: {
        kind: 'signed_in',
        claims: {
          sub: '{name}:auth0|5f7c8ec7c33c6c004bbafe82:#/+%2F',
          upstream_sub: 'auth0|5f7c8ec7c33c6c004bbafe82:#/+%2F',
        },
      },
    },
  ],
}

/** The cases one by one; `name` is that of their upstream. */
export function listQuirkCases(): { profile: ProfileName; name: string; one: QuirkCase }[] {
  return Object.entries(QUIRK_CASES).flatMap(([profile, cases]) =>
    cases.map((one, index) => ({
      profile: profile as ProfileName,
      name: `${profile}-${index + 1}`,
      one,
    })),
  )
}

// The ways of real identity providers by name, each an issuer of its own. What the adapter does there, test by test, is in
// docs/compatibility.md.
import type { SeedUser } from '../people/seed-users.ts'
import type { UpstreamClient } from '../provider/provider.ts'
import { githubPeople } from './github/github-people.ts'
import type { IssuerSetup } from './issuers.ts'

export interface Profile {
  /** What it does, in one sentence. */
  does: string
  setup: Omit<IssuerSetup, 'clients'>
  /** Of its client; default `test-secret`. */
  clientSecret?: string
}

const testuser = (person: Partial<SeedUser>): readonly SeedUser[] => [
  {
    sub: 'user-0001',
    username: 'testuser',
    name: 'Test User',
    roles: ['user'],
    attributes: {},
    ...person,
  },
]

const entraIds = {
  oid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
  tid: '9122040d-6c67-4c5b-b112-36a304b66dad',
  preferred_username: 'testuser@contoso.example',
}
const entraSub = 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ'

const everyTime = Number.MAX_SAFE_INTEGER

export const profiles = {
  'entra-no-email': {
    does: 'As Entra: no e-mail address; the user name looks like one, and `oid` is the lasting id.',
    setup: { people: testuser({ sub: entraSub, attributes: entraIds }) },
  },
  'entra-group-overage': {
    does: 'As Entra for people in many groups: in place of `groups` there is the address of a list.',
    setup: {
      people: testuser({
        sub: entraSub,
        attributes: {
          ...entraIds,
          _claim_names: { groups: 'src1' },
          _claim_sources: {
            src1: { endpoint: 'https://graph.example/users/testuser/getMemberObjects' },
          },
        },
      }),
    },
  },
  'google-refresh-once': {
    does: 'As Google: a refresh token comes with the first sign-in only.',
    setup: {
      quirks: { begin: ({ refresh }) => refresh.change({ issued: 'once', mode: 'static' }) },
    },
  },
  'github-private-email': {
    does: 'As GitHub: `email` of the profile is null, the address stands on a list of its own.',
    setup: { kind: 'github', people: githubPeople },
  },
  'github-form-token': {
    does: 'As GitHub once: the token endpoint answers with a form, whatever is asked for.',
    setup: { kind: 'github', people: githubPeople, quirks: { answersAsForm: true } },
  },
  'no-nonce': {
    does: 'The ID token does not repeat the nonce.',
    setup: {
      quirks: {
        begin: ({ faults }) =>
          faults.armToken({ fault: { kind: 'missing_claim', claim: 'nonce' }, times: everyTime }),
      },
    },
  },
  'key-rolled': {
    does: 'The signing key is replaced while somebody signs in, and the old one is withdrawn.',
    setup: { quirks: { rollsKeys: true } },
  },
  'split-hosts': {
    does: 'Browsers and programs reach it by different host names, the issuer being the former.',
    setup: { quirks: { hasInternalHost: true } },
  },
  'userinfo-jwt': {
    does: 'Userinfo is not JSON but a signed JWT.',
    setup: { quirks: { signsUserinfo: true } },
  },
  'nested-roles': {
    does: 'As Keycloak: roles are a list within an object (`realm_access.roles`).',
    setup: {
      people: testuser({ roles: [], attributes: { realm_access: { roles: ['admin', 'uma'] } } }),
    },
  },
  'logout-needs-hint': {
    does: 'Logout without `id_token_hint` is refused.',
    setup: { quirks: { demandsLogoutHint: true } },
  },
  'raw-basic-credentials': {
    does: 'Basic credentials are compared as they come, not percent-decoded; the secret has such characters.',
    setup: { quirks: { takesRawCredentials: true } },
    clientSecret: 'a+secret/with=%25',
  },
  'no-preferred-username': {
    does: 'There is no `preferred_username`.',
    setup: { people: testuser({ attributes: { preferred_username: null } }) },
  },
  'opaque-sub': {
    does: 'Subjects are opaque, with characters that mean something elsewhere.',
    setup: { people: testuser({ sub: 'auth0|5f7c8ec7c33c6c004bbafe82:#/+%2F' }) },
  },
} as const satisfies Readonly<Record<string, Profile>>

export type ProfileName = keyof typeof profiles

export const isProfileName = (name: unknown): name is ProfileName =>
  typeof name === 'string' && Object.hasOwn(profiles, name)

/** An issuer of this profile. Its client is `test-client` with the profile's secret, unless there is another. */
export function profileSetup(
  name: ProfileName,
  client: Pick<UpstreamClient, 'redirectUris'> & Partial<UpstreamClient>,
): IssuerSetup {
  const { setup, clientSecret = 'test-secret' }: Profile = profiles[name]
  return { ...setup, clients: [{ clientId: 'test-client', clientSecret, ...client }] }
}

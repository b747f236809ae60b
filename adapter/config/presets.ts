// What we know of providers that many people use: settings of an upstream as they would be written in the file. Fills in what
// the file leaves out, and judges only what the operator alone knows.
import type { SettingPath } from './setting.ts'
import { isMap, setValue, valueAt } from './source/settings-tree.ts'
import type { SettingsTree } from './source/settings-tree.ts'

interface Preset {
  readonly settings: Readonly<Record<string, unknown>>
  /** The setting that the issuer is made from. */
  readonly asks?: {
    readonly name: 'tenant' | 'domain'
    issuer(value: string): string
    /** What else follows from the value, in place of the settings above. */
    more?(value: string): Readonly<Record<string, unknown>>
  }
}

const SCOPE = 'openid profile email'
const EMAIL_CLAIMS = { email: 'email', email_verified: 'email_verified' }
const PROFILE_CLAIMS = { name: 'name', preferred_username: 'preferred_username', ...EMAIL_CLAIMS }
const GITHUB = 'https://github.com/login/oauth'

const ENTRA = 'https://login.microsoftonline.com'
/** What stands in the issuer: personal accounts are of one tenant, whose id is public. */
const ENTRA_TENANTS: Readonly<Record<string, string>> = {
  common: '{tenantid}',
  organizations: '{tenantid}',
  consumers: '9188040d-6c67-4c5b-b112-36a304b66dad',
}

/** No e-mail address: whoever administers a tenant can write any into it. */
const ofManyTenants = (id: string) => ({
  endpoints: { discovery: `${ENTRA}/${id}/v2.0/.well-known/openid-configuration` },
  subject: 'hashed',
  claims: { name: 'name', preferred_username: 'preferred_username' },
})

export const PRESETS: Readonly<Record<string, Preset>> = {
  google: {
    settings: {
      kind: 'oidc',
      issuer: 'https://accounts.google.com',
      scope: SCOPE,
      display_name: 'Google',
      claims: { name: 'name', ...EMAIL_CLAIMS },
    },
  },
  entra: {
    settings: {
      kind: 'oidc',
      scope: SCOPE,
      display_name: 'Microsoft',
      client_auth_method: 'client_secret_post',
      // Its tokens say that they were made five minutes before they were.
      clock_tolerance: '5m',
      claims: { name: 'name', preferred_username: 'preferred_username', email: 'email' },
    },
    asks: {
      name: 'tenant',
      issuer: (id) => `${ENTRA}/${ENTRA_TENANTS[id] ?? id}/v2.0`,
      more: (id) => (ENTRA_TENANTS[id] === '{tenantid}' ? ofManyTenants(id) : {}),
    },
  },
  okta: {
    settings: {
      kind: 'oidc',
      scope: SCOPE,
      display_name: 'Okta',
      // Its ID tokens are short where there is an access token, too.
      userinfo: 'when_missing',
      claims: PROFILE_CLAIMS,
    },
    asks: { name: 'domain', issuer: (domain) => `https://${domain}` },
  },
  auth0: {
    settings: {
      kind: 'oidc',
      scope: SCOPE,
      display_name: 'Auth0',
      client_auth_method: 'client_secret_post',
      claims: { name: 'name', ...EMAIL_CLAIMS },
    },
    // Its issuer ends in a slash.
    asks: { name: 'domain', issuer: (domain) => `https://${domain}/` },
  },
  keycloak: {
    settings: { kind: 'oidc', scope: SCOPE, display_name: 'Keycloak', claims: PROFILE_CLAIMS },
  },
  dex: {
    settings: {
      kind: 'oidc',
      scope: SCOPE,
      display_name: 'Dex',
      claims: { name: 'name', ...EMAIL_CLAIMS },
    },
  },
  gitlab: {
    settings: {
      kind: 'oidc',
      issuer: 'https://gitlab.com',
      scope: SCOPE,
      display_name: 'GitLab',
      userinfo: 'when_missing',
      claims: PROFILE_CLAIMS,
    },
  },
  github: {
    settings: {
      kind: 'oauth2',
      issuer: GITHUB,
      endpoints: {
        authorization: `${GITHUB}/authorize`,
        token: `${GITHUB}/access_token`,
        userinfo: 'https://api.github.com/user',
        emails: 'https://api.github.com/user/emails',
      },
      scope: 'read:user user:email',
      display_name: 'GitHub',
      client_auth_method: 'client_secret_post',
      subject_claim: 'id',
      claims: { name: 'name', preferred_username: 'login', ...EMAIL_CLAIMS },
    },
  },
  apple: {
    settings: {
      kind: 'oidc',
      issuer: 'https://appleid.apple.com',
      scope: 'openid name email',
      display_name: 'Apple',
      response_mode: 'form_post',
      client_auth_method: 'apple_jwt',
      claims: EMAIL_CLAIMS,
    },
  },
}

/** Puts into the tree what the preset of each upstream knows and no layer gave. */
export function applyPresets(tree: SettingsTree): void {
  const upstreams = valueAt(tree.value, ['upstreams'])
  if (!isMap(upstreams)) return
  for (const [name, given] of Object.entries(upstreams)) {
    if (!isMap(given) || typeof given['preset'] !== 'string') continue
    applyPreset(tree, { name, preset: given['preset'], given })
  }
}

interface Application {
  name: string
  preset: string
  given: Readonly<Record<string, unknown>>
}

function applyPreset(tree: SettingsTree, { name, preset, given }: Application): void {
  // The name of a preset that there is not is a fault of its own; more need not be said.
  const { settings, asks }: Preset = Object.hasOwn(PRESETS, preset)
    ? (PRESETS[preset] as Preset)
    : { settings: { kind: 'oidc' } }
  const fill = (path: readonly string[], value: unknown) => {
    const whole = ['upstreams', name, ...path]
    if (valueAt(tree.value, whole) === undefined)
      setValue(tree, whole, value, { kind: 'preset', preset })
  }
  if (asks && given['issuer'] === undefined) {
    const answer = given[asks.name]
    if (answer === undefined) tree.faults.push(isAsked(name, asks.name, preset))
    fill(['issuer'], asks.issuer(typeof answer === 'string' ? answer : 'missing'))
  }
  for (const [key, value] of Object.entries({ ...settings, ...moreSettings(asks, given) })) {
    if (!isMap(value)) fill([key], value)
    // A map is filled in by its entries, unless something else was written in its place.
    else if (given[key] === undefined || isMap(given[key]))
      for (const [entry, item] of Object.entries(value)) fill([key, entry], item)
  }
}

function moreSettings(
  asks: Preset['asks'],
  given: Application['given'],
): Readonly<Record<string, unknown>> {
  const answer = asks && given['issuer'] === undefined ? given[asks.name] : undefined
  return typeof answer === 'string' ? (asks?.more?.(answer) ?? {}) : {}
}

function isAsked(
  name: string,
  setting: string,
  preset: string,
): { path: SettingPath; message: string } {
  return {
    path: ['upstreams', name, setting],
    message: `Required with preset ${preset}, where there is no issuer`,
  }
}

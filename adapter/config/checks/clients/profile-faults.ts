// What a profile of a client does not go with. Each fault names the profile and the setting that is against it.
import { FAPI2_SETTINGS } from '../../profiles.ts'
import type { ClientConfig, Config } from '../../schema.ts'
import type { SettingFault } from '../schema-faults.ts'

type Fault = { setting: readonly (string | number)[]; message: string }
type Rule = (client: ClientConfig) => Fault[]

/** https://openid.net/specs/fapi-security-profile-2_0-final.html#section-5.4.1 */
const FAPI2_ALGS = 'PS256, ES256 or EdDSA'
const ASKS = 'profile fapi2 asks for'

const RULES: readonly Rule[] = [
  setFaults,
  redirectFaults,
  grantFaults,
  refreshFaults,
  algFaults,
  keyFaults,
]

export function profileFaults(config: Config): SettingFault[] {
  const fapi = Object.entries(config.clients).filter(([, { profile }]) => profile === 'fapi2')
  const own = fapi.flatMap(([id, client]) =>
    RULES.flatMap((rule) => rule(client)).map(({ setting, message }) => ({
      path: ['clients', id, ...setting],
      message,
    })),
  )
  return [...own, ...boundFaults(config), ...signingFaults(config, fapi)]
}

function setFaults(client: ClientConfig): Fault[] {
  return Object.entries(FAPI2_SETTINGS).flatMap(([name, value]) =>
    client[name as keyof typeof FAPI2_SETTINGS] === value
      ? []
      : [{ setting: [name], message: `${ASKS} ${name}: ${value}` }],
  )
}

function redirectFaults({ redirect_uris: uris }: ClientConfig): Fault[] {
  return uris.flatMap((uri, index) =>
    /^https:|^http:\/\/(127\.0\.0\.1|\[::1\])[:/]/.test(uri)
      ? []
      : [{ setting: ['redirect_uris', index], message: `${ASKS} https (http on loopback)` }],
  )
}

function grantFaults({ grant_types: types }: ClientConfig): Fault[] {
  return types.includes('urn:ietf:params:oauth:grant-type:device_code')
    ? [{ setting: ['grant_types'], message: `${ASKS} sign-ins without device authorization` }]
    : []
}

/** "shall not use refresh token rotation", since a lost answer would lose the grant. */
function refreshFaults({ refresh }: ClientConfig): Fault[] {
  return refresh?.rotation === 'always'
    ? [{ setting: ['refresh', 'rotation'], message: `${ASKS} rotation: never, or public_only` }]
    : []
}

function algFaults({ token_endpoint_auth_signing_alg: auth, access_token: token }: ClientConfig) {
  const settings = {
    token_endpoint_auth_signing_alg: { alg: auth, setting: ['token_endpoint_auth_signing_alg'] },
    access_token: { alg: token.alg, setting: ['access_token', 'alg'] },
  }
  return Object.values(settings).flatMap(({ alg, setting }) =>
    alg === 'RS256' ? [{ setting, message: `${ASKS} ${FAPI2_ALGS}` }] : [],
  )
}

function keyFaults({ jwks }: ClientConfig): Fault[] {
  const keys = (jwks?.keys ?? []) as readonly { alg?: string | undefined }[]
  return keys.flatMap(({ alg }, index) =>
    alg === 'RS256'
      ? [{ setting: ['jwks', 'keys', index, 'alg'], message: `${ASKS} ${FAPI2_ALGS}` }]
      : [],
  )
}

/** What a token exchange gives is a bearer token. */
function boundFaults({ clients }: Config): SettingFault[] {
  return Object.entries(clients).flatMap(([id, client]) =>
    client.dpop_bound_access_tokens && client.exchange !== undefined
      ? [
          {
            path: ['clients', id, 'exchange'],
            message: 'Gives bearer tokens: leave out this or dpop_bound_access_tokens',
          },
        ]
      : [],
  )
}

/** Our own signatures: ID tokens, and access tokens of resources that say so. */
function signingFaults(
  { keys, resources }: Config,
  fapi: readonly [string, ClientConfig][],
): SettingFault[] {
  const [first] = fapi
  if (!first) return []
  const message = `profile fapi2 of client ${first[0]} asks for ${FAPI2_ALGS}`
  const own = keys.alg === 'RS256' ? [{ path: ['keys', 'alg'], message }] : []
  const others = Object.entries(resources).flatMap(([name, { access_token: token, clients }]) => {
    const user = fapi.find(([id]) => clients?.includes(id) ?? true)
    return user && token.alg === 'RS256'
      ? [{ path: ['resources', name, 'access_token', 'alg'], message }]
      : []
  })
  return [...own, ...others]
}

// Rules between the settings of one client.
import { isConfidential } from '../client-schema/is-confidential.ts'
import type { ClientConfig, Config } from '../schema.ts'
import { authenticationFault } from './clients/authentication-faults.ts'
import type { SettingFault } from './schema-faults.ts'

type ClientRule = (client: ClientConfig) => { setting: string; message: string } | undefined

const RULES: readonly ClientRule[] = [
  authenticationFault,
  pkceFault,
  sectorFault,
  deviceFault,
  refreshFault,
  requestFault,
]

export function clientFaults({ clients }: Config): SettingFault[] {
  return Object.entries(clients).flatMap(([id, client]) =>
    RULES.flatMap((rule) => {
      const fault = rule(client)
      return fault ? [{ path: ['clients', id, fault.setting], message: fault.message }] : []
    }),
  )
}

function pkceFault(client: ClientConfig) {
  // https://www.rfc-editor.org/rfc/rfc9700.html#section-2.1.1: public clients MUST use PKCE
  return !isConfidential(client) && client.pkce === 'optional'
    ? { setting: 'pkce', message: 'A client without client_secret or jwks needs PKCE' }
    : undefined
}

/** One host of redirect URIs is a sector; several, or none, are not (https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg). */
function sectorFault({ subject, sector, redirect_uris: uris }: ClientConfig) {
  const fault = (message: string) => ({ setting: 'sector', message })
  if (subject !== 'pairwise')
    return sector === undefined ? undefined : fault('Only used with subject pairwise')
  const hosts = new Set(uris.map((uri) => URL.parse(uri)?.hostname ?? ''))
  return sector === undefined && (hosts.size !== 1 || hosts.has(''))
    ? fault('Required with subject pairwise, unless all redirect URIs have one and the same host')
    : undefined
}

/** oidc-provider would fetch the keys of such a client, at a URL of its own. */
function deviceFault({ subject, grant_types }: ClientConfig) {
  const isDevice = grant_types.includes('urn:ietf:params:oauth:grant-type:device_code')
  return subject === 'pairwise' && isDevice
    ? { setting: 'grant_types', message: 'Device authorization is not for subject pairwise' }
    : undefined
}

/** A scope that the app may not ask for is never asked for; a life longer than the whole is not lived. */
function refreshFault({ refresh, scope }: ClientConfig) {
  if (!refresh) return undefined
  if (refresh.idle > refresh.absolute)
    return { setting: 'refresh', message: 'Expected idle to be at most absolute' }
  const isAsked = refresh.when === 'always' || scope.split(' ').includes('offline_access')
  const message = 'Needs offline_access among the scopes of the app, or when: always'
  return isAsked ? undefined : { setting: 'refresh', message }
}

function requestFault({ require_signed_request_object: isSigned, jwks }: ClientConfig) {
  return isSigned && jwks === undefined
    ? { setting: 'require_signed_request_object', message: 'Needs jwks, the keys it signs with' }
    : undefined
}

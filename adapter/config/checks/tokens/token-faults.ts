// Rules of grant types and resources: what a client needs for a way to its tokens, and names that exist.
import { isConfidential } from '../../client-schema/is-confidential.ts'
import type { ClientConfig, Config } from '../../schema.ts'
import { didYouMean } from '../../source/nearest-name.ts'
import type { SettingFault } from '../schema-faults.ts'

export function tokenFaults(config: Config): SettingFault[] {
  const ofClients = Object.entries(config.clients).flatMap(([id, client]) => [
    ...redirectFaults(id, client),
    ...credentialFaults(id, client),
  ])
  return [...ofClients, ...resourceFaults(config), ...algFaults(config)]
}

function redirectFaults(id: string, { grant_types, redirect_uris }: ClientConfig): SettingFault[] {
  return grant_types.includes('authorization_code') && redirect_uris.length === 0
    ? [{ path: ['clients', id, 'redirect_uris'], message: 'This setting is required' }]
    : []
}

/** https://www.rfc-editor.org/rfc/rfc6749#section-4.4: "MUST only be used by confidential clients" */
function credentialFaults(id: string, client: ClientConfig) {
  return client.grant_types.includes('client_credentials') && !isConfidential(client)
    ? [
        {
          path: ['clients', id, 'grant_types'],
          message: 'client_credentials needs a client_secret or jwks',
        },
      ]
    : []
}

function resourceFaults({ resources, clients }: Config): SettingFault[] {
  const known = Object.keys(clients)
  return Object.entries(resources).flatMap(([name, { clients: allowed = [], resource_server }]) => [
    ...allowed.flatMap((id, index) => unknown(['resources', name, 'clients', index], id, known)),
    ...(resource_server === undefined
      ? []
      : serverFaults(['resources', name, 'resource_server'], resource_server, clients)),
  ])
}

function serverFaults(path: SettingFault['path'], id: string, clients: Config['clients']) {
  const client = Object.hasOwn(clients, id) ? clients[id] : undefined
  return client && !isConfidential(client)
    ? [
        {
          path,
          message: 'This client needs a client_secret or jwks: without one it can not introspect',
        },
      ]
    : unknown(path, id, Object.keys(clients))
}

function unknown(path: SettingFault['path'], id: string, known: string[]): SettingFault[] {
  if (known.includes(id)) return []
  return [{ path, message: `There is no client of this name${didYouMean(id, known)}` }]
}

/** Keys that we make are all of one algorithm. */
function algFaults({ clients, resources, keys }: Config): SettingFault[] {
  if (keys.file !== undefined) return []
  const message = `Without keys.file all keys are for keys.alg, ${keys.alg}`
  return Object.entries({ clients, resources }).flatMap(([group, entries]) =>
    Object.entries(entries).flatMap(
      ([
        name,
        {
          access_token: { alg = keys.alg },
        },
      ]) => (alg === keys.alg ? [] : [{ path: [group, name, 'access_token', 'alg'], message }]),
    ),
  )
}

/** https://www.rfc-editor.org/rfc/rfc8707#section-2 */
export function resourceNameFault(value: string): string | undefined {
  const url = URL.parse(value)
  return url === null || value.includes('#')
    ? 'Expected an absolute URI without a fragment, such as https://api.example'
    : undefined
}

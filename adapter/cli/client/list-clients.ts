// `auth-adapter client list`: the apps of the configuration file, and how each proves itself.
import { authMethodOf } from '../../config/client-schema/is-confidential.ts'
import type { ClientConfig } from '../../config/schema.ts'
import { loadConfig } from '../../config/load-config.ts'
import { alignedRows } from '../aligned-rows.ts'
import { reported, type CommandOptions } from './command-output.ts'

export interface ListedClient {
  client_id: string
  client_name?: string
  token_endpoint_auth_method: string
  secrets: { created?: string | undefined; expires?: string | undefined; is_expired: boolean }[]
  grant_types: string[]
  redirect_uris: string[]
  scope: string
}

/** 0 listed, 2 the configuration can not be used. `now`: epoch milliseconds. */
export const listClients = (options: CommandOptions & { now: number }): 0 | 1 | 2 =>
  reported(options.isJson, () => {
    const { config, file } = loadConfig(options)
    const clients = Object.entries(config.clients).map((entry) => listed(entry, options.now))
    return { words: inWords(clients, file), data: { file, clients } }
  })

function listed([client_id, client]: [string, ClientConfig], now: number): ListedClient {
  const { client_name, client_secret: plain, client_secrets: hashed = [] } = client
  const secrets = hashed.map(({ created, expires }) => ({
    created,
    expires,
    is_expired: expires !== undefined && Date.parse(expires) <= now,
  }))
  return {
    client_id,
    ...(client_name === undefined ? {} : { client_name }),
    token_endpoint_auth_method: authMethodOf(client),
    secrets: [...(plain === undefined ? [] : [{ is_expired: false }]), ...secrets],
    grant_types: client.grant_types,
    redirect_uris: client.redirect_uris,
    scope: client.scope,
  }
}

function inWords(clients: readonly ListedClient[], file: string): string {
  if (clients.length === 0) return `There are no clients in ${file}.`
  const head = ['client', 'name', 'proves itself with', 'secrets', 'scope']
  return alignedRows([head, ...clients.map(rowOf)], 60)
}

function rowOf(client: ListedClient): string[] {
  return [
    client.client_id,
    client.client_name ?? '',
    client.token_endpoint_auth_method === 'none' ? 'nothing' : client.token_endpoint_auth_method,
    client.secrets.map(secretInWords).join('; '),
    client.scope,
  ]
}

function secretInWords({ created, expires, is_expired }: ListedClient['secrets'][number]): string {
  if (is_expired) return `expired ${expires ?? ''}`
  const end = expires === undefined ? '' : `, until ${expires}`
  return (created === undefined ? 'one' : `of ${created}`) + end
}

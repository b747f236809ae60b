// Which apps of an ended session are told by which way: from here to their server where they have an address for that, else
// by a page in the browser of the person.
import type { Config } from '../config/schema.ts'
import type { LogoutDeliveries, NewDelivery } from '../storage/logout-deliveries.ts'

export interface Ended {
  accountId: string
  authorizations: Readonly<Record<string, { sid?: string }>>
}

export interface TellAppsOptions {
  config: Pick<Config, 'issuer' | 'clients'>
  deliveries: Pick<LogoutDeliveries, 'add'>
}

export interface TellApps {
  /** Puts down who is to be told from here; how many. Rejects with StorageError `unavailable`. */
  byServer(ended: Ended): Promise<number>
  /** The addresses that the browser is to load: of apps that have no other. */
  byBrowser(ended: Ended): string[]
}

export function createTellApps({ config, deliveries }: TellAppsOptions): TellApps {
  const clientOf = (id: string) =>
    Object.hasOwn(config.clients, id) ? config.clients[id] : undefined
  return {
    async byServer({ accountId, authorizations }) {
      const told = Object.entries(authorizations).flatMap(([clientId, { sid }]): NewDelivery[] =>
        sid !== undefined && clientOf(clientId)?.backchannel_logout_uri !== undefined
          ? [{ clientId, accountId, sid }]
          : [],
      )
      if (told.length > 0) await deliveries.add(told)
      return told.length
    },
    byBrowser({ authorizations }) {
      return Object.entries(authorizations).flatMap(([clientId, { sid = '' }]) => {
        const client = clientOf(clientId)
        const uri = client?.frontchannel_logout_uri
        if (uri === undefined || client?.backchannel_logout_uri !== undefined) return []
        // https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout
        const url = new URL(uri)
        url.searchParams.set('iss', config.issuer)
        url.searchParams.set('sid', sid)
        return [url.href]
      })
    },
  }
}

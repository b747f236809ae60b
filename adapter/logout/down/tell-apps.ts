// Which apps of an ended session are told by which way: from here to their server where they have an address for that, else
// by a page in the browser of the person. Leaves a trail of it.
import type { Config } from '../../config/schema.ts'
import type { LogoutDeliveries } from '../../storage/logouts/logout-deliveries.ts'
import type { EndingGrant } from '../../storage/sessions/grant-identities.ts'
import type { Log } from '../../../service/log.ts'
import { unlogged } from '../../../service/unlogged.ts'
import type { LogoutCause, LogoutTrails } from '../../storage/logouts/logout-trails.ts'

export interface Ended {
  accountId: string
  authorizations: Readonly<Record<string, { sid?: string }>>
}

export interface TellAppsOptions {
  config: Pick<Config, 'issuer' | 'clients'>
  deliveries: Pick<LogoutDeliveries, 'add'>
  trails: Pick<LogoutTrails, 'save'>
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export interface TellApps {
  /** Puts down who is to be told from here; how many. Rejects with StorageError `unavailable`. */
  byServer(ended: Ended, cause: LogoutCause): Promise<number>
  /**
   * The same for a grant that outlived its session: only an app that takes logout tokens about a person, and no session, can
   * be told. 1 or 0.
   */
  ofGrant(grant: EndingGrant): Promise<number>
  /** The addresses that the browser is to load: of apps that have no other. */
  byBrowser(ended: Ended): string[]
}

interface App {
  clientId: string
  sid: string
  way: 'server' | 'browser' | 'none'
  frontChannel: string | undefined
}

export function createTellApps(options: TellAppsOptions): TellApps {
  const { config, deliveries, trails, log, now } = options
  const appsOf = ({ authorizations }: Ended): App[] =>
    Object.entries(authorizations).flatMap(([clientId, { sid }]) => {
      const client = Object.hasOwn(config.clients, clientId) ? config.clients[clientId] : undefined
      if (sid === undefined || !client) return []
      const frontChannel = client.frontchannel_logout_uri
      const inBrowser = frontChannel === undefined ? 'none' : 'browser'
      const way = client.backchannel_logout_uri === undefined ? inBrowser : 'server'
      return [{ clientId, sid, way, frontChannel }]
    })

  return {
    async byServer(ended, cause) {
      // Frames are for somebody who is here.
      const reachable = (app: App): App =>
        app.way === 'browser' && cause !== 'person' ? { ...app, way: 'none' } : app
      const apps = appsOf(ended).map(reachable)
      const told = apps.filter(({ way }) => way === 'server')
      const { accountId } = ended
      log.debug('session.ended', { cause, ...summaryOf(apps), ...unlogged(whose(accountId, apps)) })
      await Promise.all([
        deliveries.add(told.map(({ clientId, sid }) => ({ clientId, sid, accountId }))),
        trails.save({ endedAt: now(), cause }, apps),
      ])
      return told.length
    },
    ofGrant: (grant) => tellOfGrant(options, grant),
    byBrowser: (ended) =>
      appsOf(ended).flatMap(({ way, sid, frontChannel }) => {
        if (way !== 'browser' || frontChannel === undefined) return []
        // https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout
        const url = new URL(frontChannel)
        url.searchParams.set('iss', config.issuer)
        url.searchParams.set('sid', sid)
        return [url.href]
      }),
  }
}

async function tellOfGrant(
  { config, deliveries }: TellAppsOptions,
  { accountId, clientId = '' }: EndingGrant,
): Promise<number> {
  const client = Object.hasOwn(config.clients, clientId) ? config.clients[clientId] : undefined
  const isAddress = client?.backchannel_logout_uri !== undefined
  if (!isAddress || client.backchannel_logout_session_required) return 0
  // Of no session; one delivery for all grants of a person.
  await deliveries.add([{ clientId, accountId, sid: `grants of ${accountId}` }])
  return 1
}

function summaryOf(apps: readonly App[]): { told: number; untold: number } {
  const count = (wanted: App['way']) => apps.filter(({ way }) => way === wanted).length
  return { told: count('server'), untold: count('none') }
}

function whose(accountId: string, apps: readonly App[]) {
  return { person: accountId, sessions: apps.map(({ sid }) => sid) }
}

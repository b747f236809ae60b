// How closely an app's refresh tokens follow the upstream, as rules over points in time. No clock, no I/O.
import type { ClientConfig, Config } from '../config/schema.ts'

export interface CouplingRule {
  name: 'strict' | 'lease'
  /** Whether the upstream need not be asked again. Epoch milliseconds. */
  isFresh(checkedAt: number): boolean
  /** Whether an upstream that can not be asked is borne. */
  isBorne(checkedAt: number): boolean
}

type RefreshSettings = NonNullable<ClientConfig['refresh']>

/** Undefined: the upstream is never asked. `now` is the time of the request, epoch milliseconds. */
export function couplingRule(
  settings: RefreshSettings | undefined,
  now: number,
): CouplingRule | undefined {
  if (!settings || settings.coupling === 'cached') return undefined
  if (settings.coupling === 'strict')
    return {
      name: 'strict',
      isFresh: (checkedAt) => checkedAt > now && isPlausible(checkedAt, now),
      isBorne: () => false,
    }
  const youngerThan = (seconds: number) => (checkedAt: number) =>
    now - checkedAt < seconds * 1000 && isPlausible(checkedAt, now)
  return {
    name: 'lease',
    isFresh: youngerThan(settings.lease),
    isBorne: youngerThan(settings.lease + settings.outage_grace),
  }
}

const FUTURE_MS = 60_000

/** Of another instance's clock, and not of before a clock was set back. Both epoch milliseconds. */
export function isPlausible(at: number, now: number): boolean {
  return at - now <= FUTURE_MS
}

/** Whether the app may have access tokens of this upstream. */
export function exchangesTokensOf(client: ClientConfig | undefined, upstream: string): boolean {
  return client?.exchange?.upstream_tokens.some((entry) => entry.upstream === upstream) ?? false
}

/** Seconds for which what the upstream granted has to be kept; 0 where no app of its people needs it. */
export function keptSeconds(
  { clients, session }: Pick<Config, 'clients' | 'session'>,
  upstream: string,
): number {
  const lives = Object.values(clients).flatMap((client) => {
    const { refresh, upstreams } = client
    const isExchanged = exchangesTokensOf(client, upstream)
    const isFollowed = refresh !== undefined && refresh.coupling !== 'cached'
    if (!isExchanged && !(isFollowed && (upstreams?.includes(upstream) ?? true))) return []
    return [refresh?.absolute ?? 0, isExchanged ? session.absolute : 0]
  })
  return Math.max(0, ...lives)
}

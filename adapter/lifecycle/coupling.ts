// How closely an app's refresh tokens follow the upstream, as rules over points in time. No clock, no I/O.
import type { ClientConfig } from '../config/schema.ts'

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
    return { name: 'strict', isFresh: (checkedAt) => checkedAt > now, isBorne: () => false }
  const youngerThan = (seconds: number) => (checkedAt: number) => now - checkedAt < seconds * 1000
  return {
    name: 'lease',
    isFresh: youngerThan(settings.lease),
    isBorne: youngerThan(settings.lease + settings.outage_grace),
  }
}

/** Seconds for which what the upstream granted has to be kept; 0 where no app of its people follows it. */
export function keptSeconds(
  clients: Readonly<Record<string, ClientConfig>>,
  upstream: string,
): number {
  const lives = Object.values(clients).flatMap(({ refresh, upstreams }) =>
    refresh && refresh.coupling !== 'cached' && (upstreams?.includes(upstream) ?? true)
      ? [refresh.absolute]
      : [],
  )
  return Math.max(0, ...lives)
}

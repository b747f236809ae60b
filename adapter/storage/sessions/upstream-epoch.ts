// Which settings an upstream had when it vouched for somebody, and what that is worth under the settings of now.
import { hash } from 'node:crypto'
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import type { Identity } from './identities.ts'

/** How we reach it, what people see of it, and what is judged again at each login anyway. All else decides who people are. */
const BESIDE_THE_PERSON = new Set([
  'preset',
  'client_secret',
  'client_auth_method',
  'client_key',
  'client_key_id',
  'team_id',
  'ca_file',
  'proxy',
  'timeout',
  'max_in_flight',
  'circuit',
  'response_mode',
  'clock_tolerance',
  'id_token_algs',
  'display_name',
  'domains',
  'on_change',
  'logout',
  'hooks_timeout',
])

/** The same for settings under which people and what is said of them are the same. */
export function upstreamEpoch(config: AnyUpstreamConfig): string {
  const settings = Object.entries(config).filter(([name]) => !BESIDE_THE_PERSON.has(name))
  const text = JSON.stringify(Object.fromEntries(settings), inOneOrder)
  return hash('sha256', text, 'base64url').slice(0, 16)
}

function inOneOrder(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

export type Standing =
  | 'current'
  /** Tokens live on; the next authorization request is a new login. */
  | 'outdated'
  /** Nobody's. */
  | 'void'

const AFTER_A_CHANGE = { keep: 'current', relogin: 'outdated', revoke: 'void' } as const

export type StandingOf = (
  identity: Pick<Identity, 'upstream' | 'upstreamIssuer' | 'epoch'>,
) => Standing

/** An upstream that was taken out of the configuration vouches for nobody; one that changed, for whom `on_change` says. */
export function createStandingOf(
  upstreams: Readonly<Record<string, AnyUpstreamConfig>>,
): StandingOf {
  const now = new Map(
    Object.entries(upstreams).map(([name, config]) => [
      name,
      { config, epoch: upstreamEpoch(config) },
    ]),
  )
  return ({ upstream, upstreamIssuer, epoch }) => {
    const known = now.get(upstream)
    if (!known) return 'void'
    const isSame =
      epoch === undefined ? upstreamIssuer === known.config.issuer : epoch === known.epoch
    return isSame ? 'current' : AFTER_A_CHANGE[known.config.on_change]
  }
}

// Whom a move to another upstream would concern: how many sessions and grants, by what is chosen for them, and whose `sub`
// would be another one there. Reads only.
import type { AnyUpstreamConfig, Config } from '../config/schema.ts'
import type { LiveSession } from '../storage/sessions/live-sessions.ts'
import type { StandingOf } from '../storage/sessions/upstream-epoch.ts'

/** What is known of the upstream that people are to come from. */
export interface SwapTarget {
  name: string
  issuer: string
  subject: AnyUpstreamConfig['subject']
  /** Of `subject_alias`. */
  group?: string | undefined
  /** Of its settings; tells which of its own people signed in under others. */
  epoch: string
}

interface Concerned {
  sessions: number
  grants: number
}

export interface SwapPlanRow {
  upstream: string
  /** As configured now. */
  on_change: AnyUpstreamConfig['on_change']
  sessions: number
  grants: number
  choices: {
    keep: { live_on: Concerned }
    relogin: { live_on: Concerned; sign_in_again: number }
    revoke: { end: Concerned }
  }
  subs: {
    /** The same there, by `subject_alias` or by rule. */
    kept: number
    /** The same if the provider has the same subjects; nobody can know here. */
    depends: number
    changed: number
    first_changed: string[]
  }
}

export interface SwapPlan {
  to: string
  upstreams: SwapPlanRow[]
}

export interface SwapPlanParts {
  config: Pick<Config, 'upstreams'>
  standingOf: StandingOf
  sessionsOf: (upstream: string) => Promise<LiveSession[]>
  /** Whether an alias keeps this `sub` for somebody. */
  isKept: (sub: string) => Promise<boolean>
}

const FIRST = 20

/** Every upstream but `to`, and `to` itself where its own people signed in under other settings. */
export async function planSwap(parts: SwapPlanParts, to: SwapTarget): Promise<SwapPlan> {
  const rows = await Promise.all(
    Object.entries(parts.config.upstreams).map(([name, config]) =>
      planFor(parts, to, { name, config }),
    ),
  )
  return { to: to.name, upstreams: rows.filter((row) => row !== undefined) }
}

interface Origin {
  name: string
  config: AnyUpstreamConfig
}

async function planFor(
  { sessionsOf, standingOf, isKept }: SwapPlanParts,
  to: SwapTarget,
  { name, config }: Origin,
): Promise<SwapPlanRow | undefined> {
  const live = (await sessionsOf(name)).filter(
    ({ identity }) => standingOf(identity) !== 'void' && !isAsThere(identity, to),
  )
  if (name === to.name && live.length === 0) return undefined
  const concerned = {
    sessions: live.length,
    grants: live.reduce((sum, { grantIds }) => sum + grantIds.length, 0),
  }
  const subs = [...new Set(live.map(({ identity }) => identity.accountId))]
  const fates = await Promise.all(subs.map((sub) => fateOf(sub, { name, config }, to, isKept)))
  const of = (fate: SubFate) => subs.filter((_sub, at) => fates[at] === fate)
  return {
    upstream: name,
    on_change: config.on_change,
    ...concerned,
    choices: {
      keep: { live_on: concerned },
      relogin: { live_on: concerned, sign_in_again: concerned.sessions },
      revoke: { end: concerned },
    },
    subs: {
      kept: of('kept').length,
      depends: of('depends').length,
      changed: of('changed').length,
      first_changed: of('changed').toSorted().slice(0, FIRST),
    },
  }
}

function isAsThere({ upstream, epoch }: LiveSession['identity'], to: SwapTarget): boolean {
  return upstream === to.name && epoch === to.epoch
}

type SubFate = 'kept' | 'depends' | 'changed'

async function fateOf(
  sub: string,
  from: Origin,
  to: SwapTarget,
  isKept: SwapPlanParts['isKept'],
): Promise<SubFate> {
  const { group } = from.config.subject_alias ?? {}
  if (group !== undefined && group === to.group && (await isKept(sub))) return 'kept'
  return byRule(from, to)
}

/** The rule of each `subject`: what stays when the same person comes from there. */
function byRule({ name, config }: Origin, to: SwapTarget): SubFate {
  if (config.subject !== to.subject) return 'changed'
  const rules = {
    bare: () => (config.issuer === to.issuer ? 'kept' : 'depends'),
    prefixed: () => (name === to.name ? byIssuer(config, to) : 'changed'),
    hashed: () => (config.issuer === to.issuer ? 'kept' : 'changed'),
  } as const
  return rules[config.subject]()
}

function byIssuer({ issuer }: AnyUpstreamConfig, to: SwapTarget): SubFate {
  return issuer === to.issuer ? 'kept' : 'depends'
}

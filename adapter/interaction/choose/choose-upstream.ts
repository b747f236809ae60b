// Decides which upstream a login goes to: what the app asked for, the domain of the login hint, the only one, the default,
// or the person on the chooser. Pure; who shows the chooser and who refuses is not decided here.
import type { Config } from '../../config/schema.ts'

export type UpstreamChoice =
  /** `isAsked`: the app named it, so that a session of another upstream is no answer. */
  | { kind: 'upstream'; name: string; isAsked: boolean }
  /** The person chooses; in the order of the configuration, never fewer than two. */
  | { kind: 'chooser'; names: string[] }
  /** The app's mistake: `invalid_request`, never another upstream instead. */
  | { kind: 'refused'; description: string }

export interface ChoiceRequest {
  clientId: string
  /** Of the authorization request. */
  params: Readonly<Record<string, unknown>>
}

export interface UpstreamChooser {
  /** Parameters of an authorization request that name an upstream. */
  readonly hints: readonly string[]
  choose(request: ChoiceRequest): UpstreamChoice
  /** Whether the session of somebody whom `upstream` signed in answers the request. */
  isAnsweredBy(request: ChoiceRequest, upstream: string): boolean
  /** Whether the login may go to `upstream`: the one chosen, or one of the chooser. */
  mayStart(request: ChoiceRequest, upstream: string): boolean
  /** The one of `names` that an e-mail address belongs to. */
  findByEmail(email: string, names: readonly string[]): string | undefined
}

type ChooserConfig = Pick<Config, 'upstreams' | 'clients' | 'default_upstream'>

/** Ours, and what apps already send to other brokers: each is the name of an upstream. */
const NAME_HINTS = ['upstream', 'kc_idp_hint', 'connector_id', 'idp_hint'] as const
const UPSTREAM_HINTS = [...NAME_HINTS, 'domain_hint'] as const

export function createUpstreamChooser(config: ChooserConfig): UpstreamChooser {
  const places = readPlaces(config)
  const allowedFor = (clientId: string) => config.clients[clientId]?.upstreams ?? places.names
  const choose = ({ clientId, params }: ChoiceRequest): UpstreamChoice => {
    const allowed = allowedFor(clientId)
    const asked = askedUpstreams(places, params)
    if (asked.length === 0) return unasked(places, allowed, params['login_hint'])
    const [name] = asked
    if (asked.includes(undefined)) return refused(NOT_USABLE)
    if (asked.some((other) => other !== name)) return refused(CONTRADICTION)
    return name !== undefined && allowed.includes(name)
      ? { kind: 'upstream', name, isAsked: true }
      : refused(NOT_USABLE)
  }
  return {
    hints: UPSTREAM_HINTS,
    choose,
    isAnsweredBy: (request, upstream) => {
      const choice = choose(request)
      const isAllowed = allowedFor(request.clientId).includes(upstream)
      return choice.kind === 'upstream' && choice.isAsked ? choice.name === upstream : isAllowed
    },
    mayStart: (request, upstream) => {
      const choice = choose(request)
      if (choice.kind === 'refused') return false
      return choice.kind === 'upstream' ? choice.name === upstream : choice.names.includes(upstream)
    },
    findByEmail: (email, names) => ofDomain(places, names, domainOf(email)),
  }
}

/** Where a login can go at all. */
interface Places {
  names: string[]
  preferred: string | undefined
  /** The name of the upstream by e-mail domain. */
  byDomain: ReadonlyMap<string, string>
}

function readPlaces({ upstreams, default_upstream: preferred }: ChooserConfig): Places {
  const domains = Object.entries(upstreams).flatMap(([name, upstream]) =>
    upstream.domains.map((domain) => [domain, name] as const),
  )
  return { names: Object.keys(upstreams), preferred, byDomain: new Map(domains) }
}

/** Does not say whether it exists: that is no app's business. */
const NOT_USABLE = 'the request names an identity provider that this client can not use'
const CONTRADICTION = 'the request names two identity providers'

function refused(description: string): UpstreamChoice {
  return { kind: 'refused', description }
}

/** One entry for each hint; undefined where it says nothing that is known. */
function askedUpstreams(places: Places, params: ChoiceRequest['params']): (string | undefined)[] {
  const given = UPSTREAM_HINTS.filter((hint) => params[hint] !== undefined && params[hint] !== '')
  return given.map((hint) => {
    const value = String(params[hint])
    if (hint === 'domain_hint') return ofDomain(places, places.names, value)
    return places.names.find((name) => name === value)
  })
}

function unasked(places: Places, allowed: readonly string[], loginHint: unknown): UpstreamChoice {
  const domain = typeof loginHint === 'string' ? domainOf(loginHint) : undefined
  const only = allowed.length === 1 ? allowed[0] : undefined
  const usual = allowed.find((name) => name === places.preferred)
  const name = ofDomain(places, allowed, domain) ?? only ?? usual
  return name === undefined
    ? { kind: 'chooser', names: [...allowed] }
    : { kind: 'upstream', name, isAsked: false }
}

/** What stands after the last @: `a@corp.example@evil.example` is of evil.example (A15). */
function domainOf(address: string): string | undefined {
  const at = address.lastIndexOf('@')
  return at < 0 ? undefined : address.slice(at + 1)
}

/** ASCII only, before the case is folded: the Kelvin sign would become a k (A15). Without the u flag, i folds none into it. */
const DOMAIN = /^[a-z0-9.-]{1,253}$/i

function ofDomain(
  { byDomain }: Places,
  names: readonly string[],
  domain: string | undefined,
): string | undefined {
  if (domain === undefined || !DOMAIN.test(domain)) return undefined
  const owner = byDomain.get(domain.toLowerCase())
  return names.find((name) => name === owner)
}

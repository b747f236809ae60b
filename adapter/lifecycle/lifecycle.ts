// What keeps a grant alive or ends it: asks the upstream whether the person is still welcome there, maps who they are now,
// and ends what came of a sign-in that is over. What a token is, others know.
import { unmetRequirements } from '../claims/requirements.ts'
import type { Config } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import type { UpstreamGrant, UpstreamTokens } from '../storage/tokens/upstream-tokens.ts'
import type { Upstream, UpstreamIdentity } from '../upstream/upstream.ts'
import type { Log } from '../../service/log.ts'
import { unlogged } from '../../service/unlogged.ts'
import { createAcceptToken, type AcceptOptions, type AcceptRequest } from './accept-token.ts'
import { couplingRule, exchangesTokensOf, keptSeconds } from './coupling.ts'
import type { CouplingRule } from './coupling.ts'
import { createFreshToken, type FreshToken, type FreshTokenRequest } from './fresh-token.ts'
import { createSingleFlight } from './single-flight.ts'
import { isFatal, over, useRefreshToken } from './use-refresh-token.ts'

type MapIdentity = (said: UpstreamIdentity, clientId: string | undefined) => Promise<Identity>

export interface LifecycleOptions extends Pick<Config, 'clients' | 'upstreams' | 'session'> {
  upstreamNamed(name: string): Upstream | undefined
  tokens: UpstreamTokens
  mapIdentity: MapIdentity
  provenAcrs: AcceptOptions['provenAcrs']
  /** Ends the session, if it is still the one of this sign-in. */
  endSession(sessionUid: string, upstreamTokens: string): Promise<void>
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

export interface Refreshed {
  identity: Identity
  clientId: string
  sessionUid: string
}

export interface Lifecycle {
  /** `mapIdentity` for sign-ins: keeps what the upstream granted where an app follows it. */
  mapIdentity: MapIdentity
  /** Before an app gets its first refresh token. False: it follows the upstream, and there is nothing to follow it by. */
  join(identity: Identity, clientId: string, grantId: string): Promise<boolean>
  /**
   * At each refresh; the same identity where nothing was asked.
   * @throws UpstreamError `refresh_rejected` when all is over and has been ended; `unavailable` when nobody could be asked
   */
  refresh(request: Refreshed): Promise<Identity>
  /**
   * An access token of the upstream that it has given just now, for an app that may have it.
   * @throws UpstreamError as above; any other code where the upstream does not give such a token
   */
  upstreamToken(request: FreshTokenRequest): Promise<FreshToken>
  /** Of whom a token of an upstream speaks that a client brings; undefined where it may not. Rejects as a sign-in does. */
  acceptToken(request: AcceptRequest): Promise<Identity | undefined>
}

export function createLifecycle(options: LifecycleOptions): Lifecycle {
  const { clients, log, now } = options
  const confirm = createConfirm(options)
  return {
    mapIdentity: keepTokens(options),
    upstreamToken: createFreshToken({
      ...options,
      endSignIn: (sessionUid, id) => end(options, sessionUid, id),
    }),
    acceptToken: createAcceptToken(options),
    join: joinTokens(options),
    async refresh({ identity, clientId, sessionUid }) {
      const rule = couplingRule(clients[clientId]?.refresh, now())
      const { upstreamTokens: id, checkedAt = 0, upstream } = identity
      if (!rule || rule.isFresh(checkedAt)) return identity
      const person = unlogged({ person: identity.accountId })
      const noted = { client_id: clientId, upstream, ...person }
      try {
        if (id === undefined) throw over(upstream, 'nothing is kept of the sign-in')
        return { ...(await confirm(id, upstream, rule)), ...carriedFrom(identity) }
      } catch (error) {
        if (isFatal(error)) {
          if (id !== undefined) await end(options, sessionUid, id)
          log.warn('lifecycle.ended', { ...noted, error })
          throw over(upstream, 'the sign-in is over')
        }
        if (!(error instanceof UpstreamError)) throw error
        const isBorne = rule.isBorne(checkedAt)
        log.warn(isBorne ? 'lifecycle.outage_borne' : 'lifecycle.refused', { ...noted, error })
        if (isBorne) return identity
        throw new UpstreamError('unavailable', upstream, 'Not confirmed', { cause: error })
      }
    },
  }
}

function joinTokens({ clients, tokens, log }: LifecycleOptions): Lifecycle['join'] {
  return async ({ upstreamTokens: id, upstream }, clientId, grantId) => {
    const client = clients[clientId]
    const { refresh: settings } = client ?? {}
    if (!settings) return true
    const isCoupled = settings.coupling !== 'cached'
    if (!isCoupled && (id === undefined || !exchangesTokensOf(client, upstream))) return true
    if (id === undefined) {
      log.warn('lifecycle.not_coupled', { client_id: clientId, upstream })
      return false
    }
    await tokens.join(id, grantId, settings.absolute)
    return true
  }
}

/** What the sign-in itself decided, and no refresh changes. */
function carriedFrom({ acrs, upstreamTokens }: Identity): Partial<Identity> {
  return { ...(acrs ? { acrs } : {}), ...(upstreamTokens ? { upstreamTokens } : {}) }
}

async function end(
  { tokens, endSession }: LifecycleOptions,
  sessionUid: string,
  id: string,
): Promise<void> {
  await Promise.all([tokens.end(id), endSession(sessionUid, id)])
}

function keepTokens({ clients, session, mapIdentity, tokens, now }: LifecycleOptions): MapIdentity {
  return async (said, clientId) => {
    const mapped = await mapIdentity(said, clientId)
    const { upstream, iss, sub } = said
    const ttlSeconds = keptSeconds({ clients, session }, upstream)
    const refreshToken = said.tokens.refresh_token
    if (ttlSeconds === 0 || refreshToken === undefined) return mapped
    const identity = { ...mapped, checkedAt: now() }
    const id = await tokens.create({ upstream, iss, sub, refreshToken, identity }, ttlSeconds)
    return { ...identity, upstreamTokens: id }
  }
}

type Confirm = (id: string, upstream: string, rule: CouplingRule) => Promise<Identity>

function createConfirm(options: LifecycleOptions): Confirm {
  const { tokens } = options
  const once = createSingleFlight<Identity>()
  return async (id, upstream, { name, isFresh }) => {
    const read = async () => {
      const found = await tokens.read(id)
      if (!found) throw over(upstream, 'what was kept of the sign-in is gone')
      return found
    }
    const confirmed = await once(`${name} ${id}`, {
      known: async () => {
        const { identity } = (await read()).grant
        return isFresh(identity.checkedAt ?? 0) ? identity : undefined
      },
      work: async () => ask(options, id, await read()),
      lease: (owner, ttlSeconds) => tokens.lease(id, owner, ttlSeconds),
      release: (owner) => tokens.release(id, owner),
    })
    if (confirmed) return confirmed
    throw new UpstreamError('unavailable', upstream, 'Another instance did not finish its refresh')
  }
}

/** The new refresh token is stored before anything else is done with the answer. */
async function ask(
  options: LifecycleOptions,
  id: string,
  found: { grant: UpstreamGrant; version: number },
): Promise<Identity> {
  const { said, store, current } = await useRefreshToken(options, id, found)
  const { grant } = found
  const mapped = said ? await mapAgain(options, said, grant.identity) : grant.identity
  const identity = { ...mapped, checkedAt: options.now() }
  await store({ ...current(), identity })
  return identity
}

async function mapAgain(
  { upstreams, mapIdentity }: LifecycleOptions,
  said: UpstreamIdentity,
  before: Identity,
): Promise<Identity> {
  const sources = { idToken: said.idTokenClaims, userinfo: said.userinfoClaims }
  const unmet = unmetRequirements(upstreams[said.upstream]?.require, sources)
  if (unmet.length > 0) throw over(said.upstream, `does not meet ${unmet.join(', ')} any more`)
  const mapped = await mapIdentity(said, undefined)
  if (mapped.accountId !== before.accountId) throw over(said.upstream, 'the subject is another one')
  const upstreamSession = mapped.upstreamSession && {
    ...before.upstreamSession,
    ...mapped.upstreamSession,
  }
  return { ...mapped, ...(upstreamSession ? { upstreamSession } : {}) }
}

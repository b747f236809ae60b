// An access token of the upstream for an app that may have it: asked for anew, so that it is fresh and the person still welcome
// there; requests that come together share one. Who may have it, others judge.
import { UpstreamError } from '../errors.ts'
import type { Log } from '../../service/log.ts'
import { unlogged } from '../../service/unlogged.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import type { UpstreamAccess, UpstreamTokens } from '../storage/tokens/upstream-tokens.ts'
import { isPlausible } from './coupling.ts'
import { createSingleFlight } from './single-flight.ts'
import { isFatal, over, useRefreshToken, type UseOptions } from './use-refresh-token.ts'

export interface FreshTokenRequest {
  identity: Identity
  clientId: string
  sessionUid: string
  /** What the token is to be good for, at most. */
  scope: string
}

export interface FreshToken {
  accessToken: string
  scope: string
  /** Seconds; absent where the upstream does not say. */
  expiresIn?: number
}

export interface FreshTokenOptions extends UseOptions {
  tokens: UpstreamTokens
  /** Ends what came of the sign-in. */
  endSignIn(sessionUid: string, id: string): Promise<void>
  log: Log
  /** Epoch milliseconds. */
  now: () => number
}

/** What was asked for so long ago will do: requests that come together do not all arrive at once. */
const SHARED_MS = 1000

export function createFreshToken(options: FreshTokenOptions) {
  const { endSignIn, log } = options
  const get = createGet(options)
  return async ({ identity, clientId, sessionUid, scope }: FreshTokenRequest) => {
    const { upstream, upstreamTokens: id } = identity
    if (id === undefined) throw over(upstream, 'nothing is kept of the sign-in')
    try {
      return shown(await get(id, upstream, scope), options.now())
    } catch (error) {
      if (!isFatal(error)) throw error
      await endSignIn(sessionUid, id)
      const person = unlogged({ person: identity.accountId })
      log.warn('lifecycle.ended', { client_id: clientId, upstream, ...person, error })
      throw over(upstream, 'the sign-in is over')
    }
  }
}

function createGet(options: FreshTokenOptions) {
  const { tokens, now } = options
  const once = createSingleFlight<UpstreamAccess>()
  return async (id: string, upstream: string, scope: string): Promise<UpstreamAccess> => {
    const askedAt = now()
    const read = async () => {
      const found = await tokens.read(id)
      if (!found) throw over(upstream, 'what was kept of the sign-in is gone')
      return found
    }
    const access = await once(`${id} ${scope}`, {
      known: async () => {
        const { access: last } = (await read()).grant
        const isShared = last?.scope === scope && last.at > askedAt - SHARED_MS
        return isShared && isPlausible(last.at, askedAt) ? last : undefined
      },
      work: async () => ask(options, id, await read(), scope),
      lease: (owner, ttlSeconds) => tokens.lease(id, owner, ttlSeconds),
      release: (owner) => tokens.release(id, owner),
    })
    if (access) return access
    throw new UpstreamError('unavailable', upstream, 'Another instance did not finish its refresh')
  }
}

type Found = NonNullable<Awaited<ReturnType<UpstreamTokens['read']>>>

async function ask(
  options: FreshTokenOptions,
  id: string,
  found: Found,
  scope: string,
): Promise<UpstreamAccess> {
  const { given, store, current } = await useRefreshToken(options, id, found, scope)
  const { access_token: token, expires_at: expiresAt } = given
  const { upstream } = found.grant
  if (token === undefined) throw new UpstreamError('unavailable', upstream, 'No access token came')
  if (!isWithin(given.scope ?? scope, scope))
    throw new UpstreamError(
      'context_unmet',
      upstream,
      'Its access token is good for more than was asked for',
    )
  const access = {
    token,
    scope,
    at: options.now(),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
  await store({ ...current(), access })
  return access
}

/** https://www.rfc-editor.org/rfc/rfc6749.html#section-3.3: no scope told is the scope that was asked for */
function isWithin(scope: string, limit: string): boolean {
  const allowed = new Set(limit.split(' '))
  return scope.split(' ').every((name) => allowed.has(name))
}

function shown({ token, scope, expiresAt }: UpstreamAccess, now: number): FreshToken {
  const expiresIn =
    expiresAt === undefined ? undefined : Math.max(0, expiresAt - Math.floor(now / 1000))
  return { accessToken: token, scope, ...(expiresIn === undefined ? {} : { expiresIn }) }
}

// One use of an upstream's refresh token, under the lease that somebody else holds: what replaces it is stored before anything
// else is done with the answer. And which failures are the end of a sign-in.
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError, UpstreamError } from '../errors.ts'
import type { UpstreamGrant, UpstreamTokens } from '../storage/tokens/upstream-tokens.ts'
import type {
  Upstream,
  UpstreamIdentity,
  UpstreamTokens as GivenTokens,
} from '../upstream/upstream.ts'

export interface UseOptions {
  upstreamNamed(name: string): Upstream | undefined
  tokens: Pick<UpstreamTokens, 'read' | 'update'>
}

export interface Used {
  said: UpstreamIdentity | undefined
  given: GivenTokens
  /** As it is stored now. */
  current(): UpstreamGrant
  /** Throws UpstreamError `refresh_rejected` where it was ended meanwhile, `unavailable` where it was changed. */
  store(changed: UpstreamGrant): Promise<void>
}

/** With `scope`: for an access token alone. @throws what the upstream's `refresh` throws */
export async function useRefreshToken(
  { upstreamNamed, tokens }: UseOptions,
  id: string,
  found: { grant: UpstreamGrant; version: number },
  scope?: string,
): Promise<Used> {
  let { grant, version } = found
  const { iss, sub, refreshToken } = grant
  const store = async (changed: UpstreamGrant) => {
    const isStored = await tokens.update(id, version, changed)
    const now = isStored ? undefined : await tokens.read(id)
    if (!isStored && !now) throw over(grant.upstream, 'it was ended meanwhile')
    // A try before may have been stored without an answer.
    if (now && now.grant.refreshToken !== changed.refreshToken) throw overtaken(grant.upstream)
    grant = changed
    version = now?.version ?? version + 1
  }
  const upstream = upstreamNamed(grant.upstream)
  if (!upstream) throw over(grant.upstream, 'there is no such upstream any more')
  let given: GivenTokens = {}
  const expected = { iss, sub, ...(scope === undefined ? {} : { scope }) }
  const keep = async (fresh: GivenTokens) => {
    given = fresh
    const { refresh_token: token } = fresh
    if (token !== undefined && token !== refreshToken)
      await insistently(() => store({ ...grant, refreshToken: token }))
  }
  const said = await upstream
    .refresh(refreshToken, expected, keep)
    .catch(async (error: unknown) => {
      if (!isRejected(error) || version !== found.version) throw error
      const now = await tokens.read(id)
      throw now && now.version !== found.version ? overtaken(grant.upstream) : error
    })
  return { said, given, current: () => grant, store }
}

const PAUSES_MS = [200, 600]

/** The upstream may take no other token any more: a store that fails for a moment must not cost the sign-in. */
async function insistently(work: () => Promise<void>): Promise<void> {
  for (const pause of PAUSES_MS) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StorageError && error.code === 'unavailable')) throw error
      await sleep(pause)
    }
  }
  await work()
}

const isRejected = (error: unknown) =>
  error instanceof UpstreamError && error.code === 'refresh_rejected'

/** A lease can be lost: to a process that stands still for longer than that, or a store that fails over. */
function overtaken(upstream: string): UpstreamError {
  return new UpstreamError('unavailable', upstream, 'Another instance refreshed at the same time')
}

export function over(upstream: string, why: string): UpstreamError {
  return new UpstreamError('refresh_rejected', upstream, why)
}

const FATAL = new Set(['refresh_rejected', 'identity_invalid', 'authorization_error'])

/** What no later try makes good. An upstream that refuses us all is our fault, and nobody's end. */
export function isFatal(error: unknown): boolean {
  if (error instanceof StorageError) return error.code === 'unusable'
  return error instanceof UpstreamError && FATAL.has(error.code)
}

// From what an upstream vouches for to the identity that we mint: its claims mapped, its subject made ours. What the person
// must fulfil to be let in at all is judged in finish-login.ts.
import { createHash } from 'node:crypto'
import { claimTargets } from '../claims/claim-targets.ts'
import { mapClientClaims } from '../claims/mapping/client-claims.ts'
import type { ClaimsByClient } from '../claims/mapping/client-claims.ts'
import type { ClaimSources } from '../claims/mapping/find-claim.ts'
import { hookedClaims } from '../claims/mapping/hooked-claims.ts'
import { mapClaims } from '../claims/mapping/map-claims.ts'
import type { MappedClaims } from '../claims/mapping/map-claims.ts'
import { aliasValue } from '../claims/subject-alias.ts'
import { downstreamSubject, hashedSubject } from '../claims/subject.ts'
import type { AnyUpstreamConfig, ClientConfig, Config } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { Hooks } from '../hooks/hooks.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import { upstreamEpoch } from '../storage/sessions/upstream-epoch.ts'
import type { UpstreamSessions } from '../storage/sessions/upstream-session.ts'
import type { SubjectAliases } from '../storage/sessions/subject-aliases.ts'
import type { UpstreamIdentity } from '../upstream/upstream.ts'

/** Rejects with UpstreamError `identity_invalid`. `clientId` is the client of this sign-in. */
export type MapIdentity = (
  said: UpstreamIdentity,
  clientId: string | undefined,
) => Promise<Identity>

export interface MapIdentityOptions extends Pick<Config, 'upstreams' | 'clients'> {
  aliases: Pick<SubjectAliases, 'claim'>
  runHook: Hooks['run']
  /** Absent: nothing is kept of the session at the upstream. */
  upstreamSessions?: Pick<UpstreamSessions, 'of'>
}

export function createMapIdentity({
  upstreams,
  clients,
  aliases,
  runHook,
  upstreamSessions,
}: MapIdentityOptions): MapIdentity {
  return async (said, clientId) => {
    const config = upstreams[said.upstream] as AnyUpstreamConfig
    const hooked = await askHook(config, said, runHook)
    const identity = mapIdentity(config, said, { clients, clientId }, hooked)
    const accountId = await keptSubject(config, said, identity.accountId, aliases)
    const settings = 'logout' in config ? { logout: config.logout } : {}
    const upstreamSession = upstreamSessions?.of(said, settings)
    return { ...identity, accountId, ...(upstreamSession ? { upstreamSession } : {}) }
  }
}

/** Undefined where there is none. A hook that denies is a refusal; one that fails lets nobody in. */
async function askHook(
  config: AnyUpstreamConfig,
  said: UpstreamIdentity,
  runHook: MapIdentityOptions['runHook'],
): Promise<MappedClaims | undefined> {
  if (config.hooks === undefined) return undefined
  const { upstream } = said
  const { idToken, userinfo = null } = sourcesOf(said)
  const { claims } = mapClaims(config.claims, sourcesOf(said))
  const answer = await runHook({ upstream, idToken, userinfo, claims }).catch((cause: Error) => {
    throw new UpstreamError('identity_invalid', upstream, cause.message, { cause })
  })
  if (answer === undefined) return undefined
  if ('claims' in answer) return hookedClaims(config.claims, answer.claims)
  throw new UpstreamError('authorization_error', upstream, `Denied by hooks: ${answer.deny}`, {
    oauthError: 'access_denied',
  })
}

const TAKEN = 'The subject is kept by subject_alias for another person, who has another value'

/** The `sub` that this person had at an upstream of the same group. */
async function keptSubject(
  { subject_alias: alias }: AnyUpstreamConfig,
  said: UpstreamIdentity,
  proposed: string,
  aliases: MapIdentityOptions['aliases'],
): Promise<string> {
  if (!alias) return proposed
  const { group, claim, keep } = alias
  const found = aliasValue(claim, said.iss, sourcesOf(said))
  const refused = (why: string) => new UpstreamError('identity_invalid', said.upstream, why)
  if ('fault' in found) throw refused(found.fault)
  const kept = await aliases.claim({ group, value: found.value }, proposed, keep)
  if (kept === undefined) throw refused(`${TAKEN} in "${claim}"`)
  return kept
}

export function sourcesOf({ idTokenClaims, userinfoClaims }: UpstreamIdentity): ClaimSources {
  return { idToken: idTokenClaims, userinfo: userinfoClaims }
}

export interface Apps {
  clients: Readonly<Record<string, ClientConfig>>
  /** The one of this sign-in. */
  clientId: string | undefined
}

const NO_APPS: Apps = { clients: {}, clientId: undefined }

/** @throws UpstreamError `identity_invalid` when a required claim is missing or the subject can not be minted */
export function mapIdentity(
  config: AnyUpstreamConfig,
  said: UpstreamIdentity,
  apps: Apps = NO_APPS,
  hooked?: MappedClaims,
): Identity {
  const sources = sourcesOf(said)
  const { claims, faults } = hooked ?? mapClaims(config.claims, sources)
  const own = ownClaims(apps, said.upstream, claims, sources)
  faults.push(...own.faults)
  if (faults.length > 0)
    throw new UpstreamError('identity_invalid', said.upstream, faults.join('; '))
  const targets = claimTargets(config.claims)
  return {
    accountId: subjectOf(config, said),
    upstream: said.upstream,
    upstreamIssuer: said.iss,
    epoch: upstreamEpoch(config),
    claims: { ...claims },
    ...(targets ? { claimTargets: targets } : {}),
    ...(own.clientClaims ? { clientClaims: own.clientClaims } : {}),
  }
}

/**
 * Of the clients that have claims of their own. For those whose people may not come from this upstream the identity does not
 * do: their tokens live by the same session, whoever signed in there last.
 */
function ownClaims(
  { clients, clientId }: Apps,
  upstream: string,
  claims: Readonly<Record<string, unknown>>,
  sources: ClaimSources,
): { clientClaims?: ClaimsByClient; faults: string[] } {
  const entries = Object.entries(clients)
  const isMeant = (client: ClientConfig) => client.upstreams?.includes(upstream) ?? true
  const others = entries.filter(([, client]) => !isMeant(client)).map(([id]) => [id, null] as const)
  const rules = entries.flatMap(([id, client]) =>
    isMeant(client) && Object.keys(client.claims).length > 0 ? [[id, client.claims] as const] : [],
  )
  if (others.length === 0 && rules.length === 0) return { faults: [] }
  const own = mapClientClaims(Object.fromEntries(rules), claims, sources, clientId)
  return { ...own, clientClaims: { ...Object.fromEntries(others), ...own.clientClaims } }
}

function subjectOf(config: AnyUpstreamConfig, said: UpstreamIdentity): string {
  try {
    return config.subject === 'hashed'
      ? hashedSubject(said.iss, said.sub, sha256)
      : downstreamSubject(config.subject, said.upstream, said.sub)
  } catch (cause) {
    throw new UpstreamError('identity_invalid', said.upstream, (cause as Error).message, { cause })
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

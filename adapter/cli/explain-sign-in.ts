// What a sign-in with given claims would come to: the rules explained, what the hook makes of them, and everything that would
// make it fail. Whose `sub` a subject_alias keeps is in the store, which is not asked.
import { explainClaims } from '../claims/explain/explain-claims.ts'
import type { Explanation } from '../claims/explain/explain-claims.ts'
import type { ClaimSources } from '../claims/mapping/find-claim.ts'
import { explainHooked } from '../claims/mapping/hooked-claims.ts'
import { mapClaims } from '../claims/mapping/map-claims.ts'
import { unmetRequirements } from '../claims/requirements.ts'
import { aliasValue } from '../claims/subject-alias.ts'
import type { AnyUpstreamConfig, ClaimRule } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { HookAnswer } from '../hooks/hook-messages.ts'
import { runHookOnce } from '../hooks/hooks.ts'
import { createLog } from '../../service/log.ts'

export interface ExplainedUpstream {
  /** Its name. */
  upstream: string
  settings: AnyUpstreamConfig
  /** Of the client; they win over the upstream's. */
  ownRules: Readonly<Record<string, ClaimRule>>
}

/** `faults`: why it would fail. Rejects with ConfigError when the hook can not be used. */
export async function explainSignIn(
  about: ExplainedUpstream,
  sources: ClaimSources,
): Promise<Explanation> {
  const { settings, ownRules } = about
  const byRules = explainClaims({ ...settings.claims, ...ownRules }, sources)
  const answer = settings.hooks === undefined ? undefined : await hookAnswer(about, sources)
  const explained =
    answer && 'claims' in answer
      ? explainHooked(byRules, settings.claims, ownRules, answer.claims)
      : byRules
  const denied = answer && 'deny' in answer ? [answer.deny] : []
  return {
    ...explained,
    faults: [...signInFaults(settings, sources), ...denied, ...explained.faults],
  }
}

/** A hook that fails denies too; one that can not be used is a fault of the configuration. */
async function hookAnswer(
  { upstream, settings }: ExplainedUpstream,
  sources: ClaimSources,
): Promise<HookAnswer | undefined> {
  const log = createLog({ destination: process.stderr, level: 'info' })
  const { idToken, userinfo = null } = sources
  const { claims } = mapClaims(settings.claims, sources)
  try {
    const input = { upstream, idToken, userinfo, claims }
    const said = await runHookOnce({ upstreams: { [upstream]: settings }, log }, input)
    return said && 'deny' in said ? { deny: `Denied by hooks: ${said.deny}` } : said
  } catch (error) {
    if (error instanceof ConfigError) throw error
    return { deny: (error as Error).message }
  }
}

function signInFaults(
  { require: required, subject_alias: alias, issuer }: AnyUpstreamConfig,
  sources: ClaimSources,
): string[] {
  const found = alias && aliasValue(alias.claim, issuer, sources)
  return [
    ...subjectFaults(sources),
    ...(found && 'fault' in found ? [found.fault] : []),
    ...unmetRequirements(required, sources).map((rule) => `Denied by ${rule}`),
  ]
}

function subjectFaults({ idToken, userinfo }: ClaimSources): string[] {
  const { sub } = idToken
  if (typeof sub !== 'string' || sub === '') return ['The ID token has no sub']
  return userinfo && userinfo['sub'] !== sub ? ['Userinfo sub is not the sub of the ID token'] : []
}

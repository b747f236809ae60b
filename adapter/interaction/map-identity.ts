// From what an upstream vouches for to the identity that we mint: its claims mapped, its subject made ours. What the person
// must fulfil to be let in at all is judged in finish-login.ts.
import { createHash } from 'node:crypto'
import { claimTargets } from '../claims/claim-targets.ts'
import type { ClaimSources } from '../claims/find-claim.ts'
import { mapClaims } from '../claims/map-claims.ts'
import { downstreamSubject, hashedSubject } from '../claims/subject.ts'
import type { AnyUpstreamConfig } from '../config/schema.ts'
import { UpstreamError } from '../errors.ts'
import type { Identity } from '../storage/identities.ts'
import type { UpstreamIdentity } from '../upstream/upstream.ts'

export function sourcesOf({ idTokenClaims, userinfoClaims }: UpstreamIdentity): ClaimSources {
  return { idToken: idTokenClaims, userinfo: userinfoClaims }
}

/** @throws UpstreamError `identity_invalid` when a required claim is missing or the subject can not be minted */
export function mapIdentity(config: AnyUpstreamConfig, said: UpstreamIdentity): Identity {
  const { claims, faults } = mapClaims(config.claims, sourcesOf(said))
  if (faults.length > 0)
    throw new UpstreamError('identity_invalid', said.upstream, faults.join('; '))
  const targets = claimTargets(config.claims)
  try {
    return {
      accountId:
        config.subject === 'hashed'
          ? hashedSubject(said.iss, said.sub, sha256)
          : downstreamSubject(config.subject, said.upstream, said.sub),
      upstream: said.upstream,
      upstreamIssuer: said.iss,
      claims: { ...claims },
      ...(targets ? { claimTargets: targets } : {}),
    }
  } catch (cause) {
    throw new UpstreamError('identity_invalid', said.upstream, (cause as Error).message, { cause })
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

// Userinfo that comes as a signed JWT: believed like an ID token, by the same keys and algorithms.
import { UpstreamError } from '../../errors.ts'
import type { OutgoingAnswer } from '../http/send-request.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import type { Claims } from './safe-claims.ts'
import { shown, verifyJws } from './verify-jws.ts'

export interface SignedUserinfoExpectation {
  upstream: string
  issuer: string
  clientId: string
  algorithms: readonly string[]
}

/** OpenID Connect Core §5.3.2, "the content type MUST be": https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse */
export const isSigned = ({ status, headers }: OutgoingAnswer): boolean =>
  status === 200 && /^application\/jwt\b/i.test(String(headers['content-type']))

/**
 * Its claims, the subject not yet compared.
 * @throws UpstreamError `identity_invalid`; `unavailable` or `metadata_invalid` when the keys can not be had
 */
export async function signedUserinfo(
  token: string,
  jwks: JwksCache,
  { upstream, issuer, clientId, algorithms }: SignedUserinfoExpectation,
): Promise<Claims> {
  const invalid = (fault: string) =>
    new UpstreamError('identity_invalid', upstream, `Userinfo JWT ${fault}`)
  const { claims } = await verifyJws(token.trim(), jwks, { algorithms, invalid })
  const { iss, aud } = claims
  // §5.3.2, "SHOULD contain": what is there has to be right.
  if (iss !== undefined && iss !== issuer)
    throw invalid(`iss: expected "${issuer}", got ${shown(iss)}`)
  if (aud !== undefined && ![aud].flat().includes(clientId))
    throw invalid(`aud: expected "${clientId}", got ${shown(aud)}`)
  return claims
}

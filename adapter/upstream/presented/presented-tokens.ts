// Tokens of one OpenID Connect upstream that somebody else got there: judged as at a sign-in, as far as a token alone can be.
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { UpstreamError } from '../../errors.ts'
import type { Claims } from '../identity/safe-claims.ts'
import { isIssuerOf } from '../identity/tenant-issuer.ts'
import { verifyIdToken, type IdTokenExpectation } from '../identity/verify-id-token.ts'
import { shown } from '../identity/verify-jws.ts'
import type { JwksCache } from '../metadata/jwks-cache.ts'
import type { PresentedToken, PresentedTokens, UpstreamIdentity } from '../upstream.ts'
import { verifyAccessToken } from './verify-access-token.ts'

export interface PresentedParts {
  jwks: JwksCache
  /** What is true of every ID token of this upstream. */
  idToken: Omit<IdTokenExpectation, 'now'>
  /** Whether nobody may come in without the claims of userinfo. */
  needsUserinfo: boolean
  /** Undefined where it is not asked. */
  userinfo: (accessToken: string, claims: Claims) => Promise<Claims | undefined>
  /** What an identity is made of. */
  identityFrom: (
    claims: Claims,
    userinfoClaims: Claims | undefined,
  ) => Omit<UpstreamIdentity, 'upstream' | 'iss' | 'tokens'>
  /** Epoch milliseconds. */
  now: () => number
}

/** Seconds: an ID token says that somebody has signed in just now, and is no lasting pass. */
const MAX_ID_TOKEN_AGE = 300

export function createPresentedTokens(parts: PresentedParts): PresentedTokens {
  const { idToken, identityFrom } = parts
  return {
    isIssuer: (iss) => isIssuerOf(idToken.issuer, iss),
    async verify(presented) {
      const isIdToken = presented.type === 'id_token'
      const claims = await (isIdToken ? idTokenClaims : accessTokenClaims)(parts, presented)
      const userinfo = isIdToken ? undefined : await parts.userinfo(presented.token, claims)
      const { upstream } = idToken
      // Nothing of it is kept: it is somebody else's.
      return { upstream, iss: claims.iss as string, ...identityFrom(claims, userinfo), tokens: {} }
    },
  }
}

function audiencesOf({ idToken }: PresentedParts, { audiences }: PresentedToken) {
  return audiences ?? [idToken.clientId]
}

async function accessTokenClaims(
  parts: PresentedParts,
  presented: PresentedToken,
): Promise<Claims> {
  const audiences = audiencesOf(parts, presented)
  const authorizedParties = presented.authorizedParties ?? audiences
  const needsParty = presented.authorizedParties !== undefined
  const { idToken, now } = parts
  const expected = { ...idToken, audiences, authorizedParties, needsParty, now: now() }
  return verifyAccessToken(presented.token, parts.jwks, expected)
}

async function idTokenClaims(parts: PresentedParts, presented: PresentedToken): Promise<Claims> {
  const { idToken, needsUserinfo, now } = parts
  const invalid = (fault: string) =>
    new UpstreamError('identity_invalid', idToken.upstream, `ID token ${fault}`)
  if (needsUserinfo) throw invalid('alone does not do: the upstream is configured to need userinfo')
  const said = readable(presented.token, invalid)
  const audiences = audiencesOf(parts, presented)
  // Of several that are allowed, the one it names: all rules of aud and azp then go by that.
  const clientId = audiences.find((one) => said.audiences.includes(one)) ?? audiences[0] ?? ''
  const expected = { ...idToken, clientId, maxTokenAge: MAX_ID_TOKEN_AGE, now: now() }
  const claims = await verifyIdToken(presented.token, parts.jwks, expected)
  const fault = otherUseFault(said.typ, claims, clientId === idToken.clientId)
  if (fault !== undefined) throw invalid(fault)
  return claims
}

function readable(token: string, invalid: (fault: string) => UpstreamError) {
  try {
    const { typ } = decodeProtectedHeader(token)
    return { typ, audiences: [decodeJwt(token).aud ?? []].flat() }
  } catch {
    throw invalid('is not a signed JWT')
  }
}

/** What is signed by the same key for another purpose, or was made for a sign-in here, which no app has a part in. */
function otherUseFault(typ: unknown, claims: Claims, isOurs: boolean): string | undefined {
  if (typ !== undefined && !/^jwt$/i.test(String(typ)))
    return `typ: expected "JWT", got ${shown(typ)}`
  const foreign = ['scope', 'scp', 'client_id', 'events', 'cnf', 'act'].find(
    (name) => claims[name] !== undefined,
  )
  if (foreign !== undefined) return `${foreign}: no ID token has it`
  return isOurs && claims.nonce !== undefined ? 'nonce: it is of a sign-in here' : undefined
}

// Knows the access tokens that we issued, as JWTs or opaque: what one stands for, whether that still lives, and whom it
// concerns. Userinfo, introspection, revocation and /verify all ask here, so that they can not disagree.
import type { Grant, Provider } from 'oidc-provider'
import { doesFor } from '../../claims/mapping/client-claims.ts'
import type { Identities, Identity } from '../../storage/sessions/identities.ts'
import type { RevokedTokens } from '../../storage/tokens/revoked-tokens.ts'
import { outlivesSession } from '../people/account.ts'
import type { ClientSubjects } from '../people/client-subjects.ts'
import { rememberedClaims } from './requested-claims.ts'
import type { AccessTokenClaims, TokenFault, VerifyToken } from './verify-token.ts'

export interface IssuedToken {
  clientId: string
  /** As the client knows the person; its own id where there is none. */
  sub: string
  scope: string
  audience: string[]
  /** Undefined for a token that the client got for itself. */
  bond: { grantId: string; sessionUid: string } | undefined
  /** Of a JWT: what single revocation goes by. */
  jti?: string
  /** The thumbprint of the key that who presents it must hold. */
  jkt?: string
  /** Single claims that userinfo was asked for, beside those of the scope. */
  userinfoClaims: readonly string[]
}

export type Standing =
  | { state: 'live'; grant?: Grant; identity?: Identity }
  | { state: 'revoked' }
  | { state: 'session_ended' }

export type ReadToken =
  | { issued: IssuedToken; claims: AccessTokenClaims }
  | { fault: TokenFault | { error: 'session_ended' } }

export interface IssuedTokens {
  /** A JWT of ours that is valid now. */
  read(token: string): Promise<ReadToken>
  /** What oidc-provider has stored as an opaque token. */
  fromModel(model: StoredToken): IssuedToken
  /** A client may know of access tokens that were issued to it, or for it to accept. */
  concerns(clientId: string, issued: IssuedToken): boolean
  /** Rejects with StorageError `unavailable`, or what `provider` makes of it. */
  standingOf(issued: IssuedToken): Promise<Standing>
}

/** Of oidc-provider's AccessToken, RefreshToken and ClientCredentials. */
export interface StoredToken {
  clientId?: string | undefined
  accountId?: string | undefined
  grantId?: string | undefined
  sessionUid?: string | undefined
  scope?: string | undefined
  aud?: string | string[] | undefined
  jkt?: string | undefined
  /** Claims of ours in it. */
  extra?: Readonly<Record<string, unknown>> | undefined
}

export interface IssuedTokensOptions {
  provider: () => Provider
  identities: Identities
  revokedTokens: RevokedTokens
  subjects: ClientSubjects
  verify: VerifyToken
  /** What a client, as a service, is called in tokens. */
  audiencesOf: (clientId: string) => string[]
}

/** What a JWT access token's `jti` says: a random part, then what the token lives and dies with; the session may be hidden. */
export function tokenId(random: string, grantId: string, sessionUid: string): string {
  return [random, grantId, sessionUid].join('.')
}

export function createIssuedTokens(options: IssuedTokensOptions): IssuedTokens {
  const { subjects, verify, audiencesOf } = options
  return {
    async read(token) {
      const verified = await verify(token)
      return 'fault' in verified ? verified : fromClaims(subjects, verified.claims)
    },
    fromModel: (model) => fromModel(subjects, model),
    concerns: (clientId, issued) =>
      issued.clientId === clientId ||
      audiencesOf(clientId).some((audience) => issued.audience.includes(audience)),
    async standingOf(issued) {
      return issued.bond
        ? standingOfPerson(options, issued, issued.bond)
        : standingOfClient(options, issued)
    },
  }
}

function fromClaims(subjects: ClientSubjects, claims: AccessTokenClaims): ReadToken {
  const { client_id: clientId, sub, scope = '', jti } = claims
  const issued = {
    clientId,
    sub,
    scope,
    jti,
    audience: [claims.aud ?? []].flat(),
    userinfoClaims: rememberedClaims(claims),
    ...boundTo(claims.cnf?.jkt),
  }
  const [random, grantId, hidden, ...rest] = jti.split('.')
  if (grantId === undefined) return { issued: { ...issued, bond: undefined }, claims }
  if (!random || !grantId || !hidden || rest.length > 0) return { fault: { error: 'type' } }
  const sessionUid = subjects.openSession(clientId, hidden, grantId)
  // The client's subjects were made differently when the token was issued.
  if (sessionUid === undefined) return { fault: { error: 'session_ended' } }
  return { issued: { ...issued, bond: { grantId, sessionUid } }, claims }
}

const boundTo = (jkt: string | undefined) => (jkt === undefined ? {} : { jkt })

function fromModel(subjects: ClientSubjects, model: StoredToken): IssuedToken {
  const { clientId = '', accountId, grantId = '', sessionUid = '', scope = '', aud = [] } = model
  const common = {
    clientId,
    scope,
    audience: [aud].flat(),
    userinfoClaims: rememberedClaims(model.extra),
    ...boundTo(model.jkt),
  }
  return accountId === undefined
    ? { ...common, sub: clientId, bond: undefined }
    : { ...common, sub: subjects.subjectFor(clientId, accountId), bond: { grantId, sessionUid } }
}

async function standingOfPerson(
  { provider: getProvider, identities, revokedTokens, subjects }: IssuedTokensOptions,
  { clientId, sub, scope, jti }: IssuedToken,
  { grantId, sessionUid }: NonNullable<IssuedToken['bond']>,
): Promise<Standing> {
  const provider = getProvider()
  // The session itself too: a request that was under way at logout may have saved the other two once more. A grant for
  // offline_access has an identity of its own, and lives on when the session is over.
  const [grant, identity, own, session, client, isRevoked] = await Promise.all([
    provider.Grant.find(grantId),
    identities.find(sessionUid),
    identities.findForGrant(grantId),
    provider.Session.findByUid(sessionUid),
    provider.Client.find(clientId),
    jti === undefined ? false : revokedTokens.has(jti),
  ])
  const isTheirs = ({ accountId }: { accountId?: string | undefined } = {}) =>
    accountId !== undefined && subjects.subjectFor(clientId, accountId) === sub
  if (isRevoked || client === undefined) return { state: 'revoked' }
  const isOfSession = isTheirs(session) && isTheirs(identity)
  // Of an offline token its own is the newer one, where refreshes follow the upstream.
  const isOwn = isTheirs(own) && (outlivesSession(scope) || !isOfSession)
  const vouching = isOwn ? own : identity
  if (!isOwn && !isOfSession) return { state: 'session_ended' }
  const isGranted = grant !== undefined && isTheirs(grant) && grant.clientId === clientId
  return isGranted && vouching !== undefined && doesFor(vouching, clientId)
    ? { state: 'live', grant, identity: vouching }
    : { state: 'revoked' }
}

async function standingOfClient(
  { provider, revokedTokens }: IssuedTokensOptions,
  { clientId, sub, jti }: IssuedToken,
): Promise<Standing> {
  const [client, isRevoked] = await Promise.all([
    provider().Client.find(clientId),
    jti === undefined ? false : revokedTokens.has(jti),
  ])
  const isLive =
    !isRevoked && sub === clientId && client?.grantTypeAllowed('client_credentials') === true
  return { state: isLive ? 'live' : 'revoked' }
}

// Decides what a login grants: what its configuration allows the client to ask for, and to one that is somebody else's
// nothing before the person agreed. The identity of the login is kept beside the session for as long as the session lives.
import { randomBytes } from 'node:crypto'
import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import { claimsByScope } from '../../claims/scopes.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import type { ConsentGate } from '../consent/consent-gate.ts'
import { loginResult, type KnownAccount } from './account.ts'

export interface GrantOptions {
  identities: Identities
  /** Seconds this session may still live; identity and grant live as long. */
  sessionTtlSeconds: (ctx: KoaContextWithOIDC) => number
  /** Whether the client gets what it asks for without a question. */
  mayHave: ConsentGate
  /** What a grant to this client covers beside the scopes of the sign-in: resource → scopes. */
  resourcesOf: (clientId: string) => [string, string][]
  /** Lets the grant live as long as the refresh tokens that it may get. */
  prolongForRefresh: (grant: Grant, ctx: KoaContextWithOIDC, sessionTtlSeconds: number) => void
}

/** oidc-provider's `loadExistingGrant`: the session's grant for this client, or a new one; undefined asks for consent. */
export function createLoadExistingGrant(options: GrantOptions) {
  const { identities, sessionTtlSeconds, mayHave } = options
  return async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const isGranted = await mayHave(ctx)
    const grant = isGranted ? await grantFor(ctx, options) : undefined
    // An app that may know nothing yet has no part in the session: it is not told of its end either.
    await keepIdentity(identities, ctx, sessionTtlSeconds(ctx), isGranted)
    return grant
  }
}

async function grantFor(
  ctx: KoaContextWithOIDC,
  { sessionTtlSeconds, resourcesOf, prolongForRefresh }: GrantOptions,
): Promise<Grant> {
  const grant = (await reusableGrant(ctx)) ?? newGrant(ctx)
  widen(grant, ctx, resourcesOf(clientId(ctx)))
  prolongForRefresh(grant, ctx, sessionTtlSeconds(ctx))
  await grant.save()
  return grant
}

// A grant of another end-user is never reused: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequestValidation
async function reusableGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const grantId = ctx.oidc.session?.grantIdFor(clientId(ctx))
  const grant = grantId === undefined ? undefined : await ctx.oidc.provider.Grant.find(grantId)
  return grant?.accountId === ctx.oidc.account?.accountId && grant?.clientId === clientId(ctx)
    ? grant
    : undefined
}

function newGrant(ctx: KoaContextWithOIDC): Grant {
  const Grant = ctx.oidc.provider.Grant as unknown as new (properties: object) => Grant
  return new Grant({
    jti: randomBytes(16).toString('base64url'),
    accountId: ctx.oidc.account?.accountId,
    clientId: clientId(ctx),
  })
}

/**
 * All scopes the client may ask for, whatever this request asks for: two tabs that widen one grant at a time would each lose
 * the other's. What a code or token carries is what its own request asked for.
 */
function widen(
  grant: Grant,
  ctx: KoaContextWithOIDC,
  resources: readonly [string, string][],
): void {
  const scope = ctx.oidc.client?.scope ?? 'openid'
  grant.addOIDCScope(scope)
  for (const [resource, resourceScope] of resources) grant.addResourceScope(resource, resourceScope)
  const [allowed, refused] = requestedClaims(ctx)
  if (allowed.length > 0) grant.addOIDCClaims(allowed)
  if (refused.length > 0) grant.rejectOIDCClaims(refused)
}

/** The `claims` parameter asks for single claims; a client gets those that one of its own scopes releases. */
function requestedClaims(ctx: KoaContextWithOIDC): [allowed: string[], refused: string[]] {
  const requested = [...ctx.oidc.requestParamClaims]
  if (requested.length === 0) return [[], []]
  const scopes = new Set((ctx.oidc.client?.scope ?? 'openid').split(' '))
  const isAllowed = (claim: string) =>
    Object.entries(claimsByScope([claim])).some(
      ([scope, claims]) => scopes.has(scope) && claims.includes(claim),
    )
  return [requested.filter(isAllowed), requested.filter((claim) => !isAllowed(claim))]
}

async function keepIdentity(
  identities: Identities,
  ctx: KoaContextWithOIDC,
  ttlSeconds: number,
  isGranted: boolean,
): Promise<void> {
  const sessionUid = ctx.oidc.session?.uid
  const [fresh, known] = [
    loginResult(ctx)?.identity,
    (ctx.oidc.account as KnownAccount | undefined)?.identity,
  ]
  if (sessionUid === undefined) return
  const served = isGranted ? clientId(ctx) : undefined
  if (fresh) await identities.save(sessionUid, fresh, ttlSeconds, served)
  else if (known) await identities.renew(sessionUid, known, ttlSeconds, served)
}

function clientId(ctx: KoaContextWithOIDC): string {
  return (ctx.oidc.client as NonNullable<typeof ctx.oidc.client>).clientId
}

// What relying parties learn of a person, scope by scope, and the grant that lets them.
import type { Account, AccountClaims, Grant, KoaContextWithOIDC } from 'oidc-provider'
import type { User } from '../people/users.ts'

export const claimsByScope = {
  openid: ['sub'],
  profile: ['preferred_username', 'name', 'roles', 'locale', 'department', 'groups'],
  email: ['email', 'email_verified'],
}

// With null somebody has been told to be without a claim that everybody else has.
const withoutNull = (attributes: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, value ?? undefined]))

function claimsFrom(user: User): AccountClaims {
  const { sub, username, name, email, emailVerified, roles, attributes } = user
  const { locale, department, groups } = attributes
  const mail = email === undefined ? {} : { email, email_verified: emailVerified }
  const claims = { preferred_username: username, name, roles, locale, department, groups, ...mail }
  return { ...claims, ...withoutNull(attributes), sub }
}

const byScope = new Set(Object.values(claimsByScope).flat())

/** What a person has beside the claims that oidc-provider knows; released with the scope profile. */
export function furtherClaims(user: User | undefined): Record<string, unknown> {
  const own = Object.entries(user?.attributes ?? {})
  return Object.fromEntries(own.filter(([name, value]) => !byScope.has(name) && value !== null))
}

export function accountFrom(user: User | undefined): Account | undefined {
  return user && { accountId: user.sub, claims: () => claimsFrom(user) }
}

/**
 * Grants what is asked for, without a consent page. The id is known from session and client: tabs
 * that sign in at the same time share one grant, and no code is lost.
 */
export async function loadExistingGrant(ctx: KoaContextWithOIDC): Promise<Grant | undefined> {
  const { account, client, provider, session } = ctx.oidc
  if (!account || !client || !session) return undefined
  const { accountId } = account
  const { clientId } = client
  const id = `${session.uid}.${clientId}`
  const stored = await provider.Grant.find(id)
  const known = stored?.accountId === accountId ? stored : undefined
  const scopes = ctx.oidc.requestParamOIDCScopes
  const requested = [...scopes].join(' ')
  if (known?.getOIDCScopeFiltered(scopes) === requested) return known
  const grant = known ?? new provider.Grant({ accountId, clientId })
  grant.jti = id
  grant.addOIDCScope(requested)
  await grant.save()
  return grant
}

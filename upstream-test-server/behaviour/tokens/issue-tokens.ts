// The last step of every JWT that oidc-provider makes: the issuer's clock, what is said of the authentication, the fault
// that was switched on, and the key in use.
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { IdTokenFault } from '../faults/faults.ts'
import type { Scenario } from '../scenario.ts'
import type { Users } from '../../people/users.ts'
import { furtherClaims } from '../../provider/account.ts'
import { shiftClaims } from '../clock.ts'
import { sayAuthentication } from '../sign-in/authentication.ts'
import type { SigningKey } from './key-ring.ts'
import { isSignatureFault, isSignedBy, readToken, signToken } from './sign-token.ts'
import type { Json } from './sign-token.ts'

export interface IssueTokensOptions {
  scenario: Scenario
  users: Users
  /** The one key that oidc-provider knows. */
  libraryKey: SigningKey
}

type IdToken = InstanceType<Provider['IdToken']>

const hour = 3600

type ClaimFault = Exclude<IdTokenFault['kind'], `alg_${string}` | 'bad_signature' | 'unknown_kid'>

const changes: Record<ClaimFault, (claims: Json, nowSeconds: number, fault: IdTokenFault) => Json> =
  {
    wrong_iss: () => ({ iss: 'http://127.0.0.1:9/another-issuer' }),
    wrong_aud: () => ({ aud: 'another-client' }),
    wrong_azp: ({ aud }) => ({ aud: [aud, 'another-client'], azp: 'another-client' }),
    wrong_nonce: () => ({ nonce: 'another-nonce' }),
    expired: (_claims, now) => ({ iat: now - 2 * hour, exp: now - hour }),
    future_iat: (_claims, now) => ({ iat: now + hour, exp: now + 2 * hour }),
    missing_claim: (_claims, _now, fault) => ('claim' in fault ? { [fault.claim]: undefined } : {}),
  }

const isClaimFault = (kind: string | undefined): kind is ClaimFault =>
  kind !== undefined && Object.hasOwn(changes, kind)

/** The session at this issuer, as the client may hear of it again in a logout token. */
async function sidOf(provider: Provider, { oidc }: KoaContextWithOIDC): Promise<Json> {
  const { AuthorizationCode, RefreshToken } = oidc.entities
  const uid = (AuthorizationCode ?? RefreshToken)?.sessionUid
  const session = uid === undefined ? undefined : await provider.Session.findByUid(uid)
  const sid = session?.sidFor(oidc.client?.clientId ?? '')
  return sid === undefined ? {} : { sid }
}

const hasProfile = ({ oidc }: KoaContextWithOIDC) =>
  oidc.entities.AccessToken?.scopes.has('profile') === true

async function claimsOfIdToken(
  provider: Provider,
  { ctx, available }: IdToken,
  claims: Json,
  { scenario, users }: IssueTokensOptions,
): Promise<Json> {
  const { acr, amr, auth_time: authTime } = available
  const user = users.find(String(claims['sub']))
  const username = user?.username
  const { levels, ...said } = scenario.authentication.current()
  const further = hasProfile(ctx) ? furtherClaims(user) : {}
  const done = { acr, amr, auth_time: authTime }
  const full = { ...further, ...claims, ...(await sidOf(provider, ctx)), ...done }
  return sayAuthentication(full, { ...said, ...scenario.people.of(username).says }, levels)
}

function corrupted(claims: Json, fault: IdTokenFault | undefined, nowSeconds: number): Json {
  if (!isClaimFault(fault?.kind)) return claims
  return { ...claims, ...changes[fault.kind](claims, nowSeconds, fault) }
}

async function finish(
  provider: Provider,
  idToken: IdToken,
  use: string,
  jwt: string,
  options: IssueTokensOptions,
): Promise<string> {
  const { keys, clock, faults } = options.scenario
  const { header, claims } = readToken(jwt)
  if (use !== 'idtoken')
    return signToken({ header, claims: shiftClaims(claims, clock.offsetSeconds()) }, keys.active())
  const said = await claimsOfIdToken(provider, idToken, claims, options)
  const fault = faults.takeIdToken(options.users.find(String(claims['sub']))?.username)
  const timely = shiftClaims(said, clock.offsetSeconds())
  const final = corrupted(timely, fault, Math.floor(clock.now() / 1000))
  const kind = fault?.kind
  return signToken(
    { header, claims: final },
    keys.active(),
    isSignatureFault(kind) ? kind : undefined,
  )
}

/** For the library, which knows one key only: a hint that any of ours has signed, signed by that one. */
function hintForLibrary(jwt: string, { scenario, libraryKey }: IssueTokensOptions): string {
  const token = readToken(jwt)
  const signedBy = scenario.keys.find(token.header['kid'])
  return signedBy && isSignedBy(jwt, signedBy) ? signToken(token, libraryKey) : jwt
}

function addFurtherClaims(ctx: KoaContextWithOIDC, users: Users): void {
  const body: unknown = ctx.body
  // As a JWT it got them when it was issued.
  if (typeof body !== 'object' || body === null) return
  ctx.body = { ...furtherClaims(users.find(ctx.oidc.account?.accountId ?? '')), ...body }
}

export function issueTokens(provider: Provider, options: IssueTokensOptions): void {
  const { IdToken } = provider
  const { issue } = IdToken.prototype
  IdToken.prototype.issue = async function issueAsTold(this: IdToken, context) {
    return finish(provider, this, context.use, await issue.call(this, context), options)
  }
  const validate = IdToken.validate.bind(IdToken)
  IdToken.validate = (jwt, client) => validate(hintForLibrary(jwt, options), client)
  provider.use(async (ctx, next) => {
    await next()
    const { oidc } = ctx as KoaContextWithOIDC
    if (ctx.status !== 200) return
    if (oidc?.route === 'jwks') ctx.body = { keys: options.scenario.keys.published() }
    if (oidc?.route === 'userinfo' && hasProfile(ctx as KoaContextWithOIDC))
      addFurtherClaims(ctx as KoaContextWithOIDC, options.users)
  })
}

// Makes the next ID token, or the next answer of userinfo, wrong in one way, as it was switched on.
import { createHmac, createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Users } from '../people/users.ts'
import type { Faults, IdTokenFault } from './faults.ts'

type Json = Record<string, unknown>

export interface BreakTokensOptions {
  faults: Faults
  users: Users
  signingKey: JsonWebKey
  /** Epoch milliseconds. */
  now: () => number
}

interface Token {
  header: Json
  claims: Json
}

const hour = 3600
const encode = (value: Json) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json

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

const isClaimFault = (kind: string): kind is ClaimFault => Object.hasOwn(changes, kind)

function headerFor(kind: IdTokenFault['kind'], header: Json): Json {
  if (kind === 'alg_none') return { ...header, alg: 'none' }
  if (kind === 'alg_hs256') return { ...header, alg: 'HS256' }
  return kind === 'unknown_kid' ? { ...header, kid: 'unknown' } : header
}

function signatureFor(kind: IdTokenFault['kind'], input: string, jwk: JsonWebKey): string {
  const key = createPrivateKey({ key: jwk, format: 'jwk' })
  if (kind === 'alg_none') return ''
  if (kind === 'alg_hs256') {
    // The public key as a secret: https://www.rfc-editor.org/rfc/rfc8725.html#section-2.1
    const secret = createPublicKey(key).export({ type: 'spki', format: 'pem' })
    return createHmac('sha256', secret).update(input).digest('base64url')
  }
  const signed = kind === 'bad_signature' ? `${input}.` : input
  return sign('sha256', Buffer.from(signed), key).toString('base64url')
}

function corrupt(idToken: string, fault: IdTokenFault, options: BreakTokensOptions): string {
  const [header, claims] = idToken.split('.')
  const token: Token = { header: decode(header), claims: decode(claims) }
  const nowSeconds = Math.floor(options.now() / 1000)
  const change = isClaimFault(fault.kind)
    ? changes[fault.kind](token.claims, nowSeconds, fault)
    : {}
  const input = [headerFor(fault.kind, token.header), { ...token.claims, ...change }]
    .map(encode)
    .join('.')
  return `${input}.${signatureFor(fault.kind, input, options.signingKey)}`
}

function breakAnswer(ctx: KoaContextWithOIDC, options: BreakTokensOptions): void {
  const { faults, users } = options
  const accountId = ctx.oidc.account?.accountId
  const username = accountId === undefined ? undefined : users.find(accountId)?.username
  const body = ctx.body as Json
  if (ctx.oidc.route === 'token' && typeof body['id_token'] === 'string') {
    const fault = faults.takeIdToken(username)
    if (fault) ctx.body = { ...body, id_token: corrupt(body['id_token'], fault, options) }
  }
  if (ctx.oidc.route === 'userinfo' && faults.takeOtherSub(username))
    ctx.body = { ...body, sub: 'somebody-else' }
}

export function breakTokens(provider: Provider, options: BreakTokensOptions): void {
  provider.use(async (ctx, next) => {
    await next()
    if (ctx.status === 200 && ['token', 'userinfo'].includes(ctx.oidc?.route ?? ''))
      breakAnswer(ctx as KoaContextWithOIDC, options)
  })
}

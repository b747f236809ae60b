// Logout tokens, right or wrong in one way, and their delivery to whoever is to be tested.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { KeyRing } from './key-ring.ts'
import { isSignatureFault, signatureFaults, signToken } from './sign-token.ts'
import type { Json } from './sign-token.ts'

const changes = {
  wrong_iss: () => ({ iss: 'http://127.0.0.1:9/another-issuer' }),
  wrong_aud: () => ({ aud: 'another-client' }),
  missing_events: () => ({ events: undefined }),
  other_event: () => ({ events: { 'http://schemas.example/event/other': {} } }),
  with_nonce: () => ({ nonce: 'a-nonce' }),
  expired: ({ iat }: Json) => ({ iat: Number(iat) - 7200, exp: Number(iat) - 3600 }),
  future_iat: ({ iat }: Json) => ({ iat: Number(iat) + 3600, exp: Number(iat) + 7200 }),
  without_sub_and_sid: () => ({ sub: undefined, sid: undefined }),
  missing_jti: () => ({ jti: undefined }),
} satisfies Record<string, (claims: Json) => Json>

type ClaimFault = keyof typeof changes

/** `replayed_jti`: with the jti of the one sent before. */
export const logoutTokenFaults = [
  ...signatureFaults,
  ...(Object.keys(changes) as ClaimFault[]),
  'wrong_typ',
  'replayed_jti',
] as const
export type LogoutTokenFault = (typeof logoutTokenFaults)[number]

export interface LogoutTokenOrder {
  /** Where the form with `logout_token` is posted. */
  to: string
  /** Default: the first client of the issuer. */
  clientId?: string
  sub?: string
  sid?: string
  fault?: LogoutTokenFault
}

export interface LogoutTokenDelivery {
  /** Of the answer; 0 where nobody answered. */
  status: number
  jti: string
}

export interface LogoutTokens {
  send(order: LogoutTokenOrder): Promise<LogoutTokenDelivery>
}

export interface LogoutTokensOptions {
  issuer: string
  defaultClientId: string
  keys: KeyRing
  clock: Clock
}

const waitMilliseconds = 10_000

// https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest
async function post(to: string, token: string): Promise<number> {
  const body = new URLSearchParams({ logout_token: token })
  const signal = AbortSignal.timeout(waitMilliseconds)
  const options = { method: 'POST', body, signal, redirect: 'manual' as const }
  const response = await fetch(to, options).catch(() => undefined)
  await response?.body?.cancel()
  return response?.status ?? 0
}

// https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken
function claimsFor(options: LogoutTokensOptions, order: LogoutTokenOrder, jti: string): Json {
  const { sub, sid, clientId = options.defaultClientId } = order
  const iat = Math.floor(options.clock.now() / 1000)
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const claims = { iss: options.issuer, aud: clientId, iat, exp: iat + 120, jti, events, sub, sid }
  const change = changes[order.fault as ClaimFault] as ((claims: Json) => Json) | undefined
  return { ...claims, ...change?.(claims) }
}

export function createLogoutTokens(options: LogoutTokensOptions): LogoutTokens {
  let lastJti: string = randomUUID()
  return {
    async send(order) {
      const { fault, to } = order
      const jti = fault === 'replayed_jti' ? lastJti : randomUUID()
      lastJti = jti
      const header = { typ: fault === 'wrong_typ' ? 'JWT' : 'logout+jwt' }
      const token = { header, claims: claimsFor(options, order, jti) }
      const signature = isSignatureFault(fault) ? fault : undefined
      return { status: await post(to, signToken(token, options.keys.active(), signature)), jti }
    },
  }
}

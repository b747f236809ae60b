// One refresh of a sign-in at /login.html: asks whether it still holds, then the identity service, then the adapter.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../../service/log.ts'
import { IdentityServiceError } from '../identity/identity-service.ts'
import type { IdentityService } from '../identity/identity-service.ts'
import type { TokenExchange } from '../relying-party/exchanged-tokens.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { ExchangeTokens, NewTokens } from './exchange-tokens.ts'
import type { Hold, LoginRecord, LoginRecords } from './login-records.ts'
import type { LoginName } from './token-cookies.ts'

/** Somebody else's refresh is waited for this long. */
const WAIT_MS = 10_000
const LOOK_EVERY_MS = 50
const STORE_TRIES = 4
const STORE_PAUSE_MS = 200

export type Renewal =
  | {
      readonly kind: 'renewed'
      readonly tokens: NewTokens['pair']
      readonly login: LoginName
      /** By somebody else, just before. */
      readonly isLate: boolean
    }
  | {
      readonly kind: 'over'
      readonly reason: string
      readonly record?: LoginRecord
      /** Given by the adapter, and nobody's. */
      readonly unused?: NewTokens['pair']
    }
  | { readonly kind: 'unavailable' }

/** A refresh JWT that was verified. */
export interface RefreshToken {
  readonly token: string
  readonly jti: string
  readonly subject: string
}

export interface RenewLoginOptions {
  readonly records: LoginRecords
  readonly identity: Pick<IdentityService, 'refresh'>
  readonly exchange: Pick<TokenExchange, 'isActive'>
  readonly exchangeTokens: ExchangeTokens
  readonly log: Log
}

/** Where it is over, whoever asked has to end what is left of it. Rejects with SessionStoreError. */
export type RenewLogin = (refresh: RefreshToken) => Promise<Renewal>

const UNAVAILABLE: Renewal = { kind: 'unavailable' }

export function createRenewLogin(options: RenewLoginOptions): RenewLogin {
  const { records } = options
  return async (refresh) => {
    const giveUpAt = performance.now() + WAIT_MS
    for (;;) {
      const taken = await records.take(refresh.jti)
      if (taken.kind === 'taken') return renewHeld(options, refresh, taken.hold)
      if (taken.kind === 'unknown') return { kind: 'over', reason: 'login_unknown' }
      if (taken.kind === 'reused')
        return { kind: 'over', reason: 'refresh_token_reused', record: taken.record }
      if (taken.kind === 'late')
        return { kind: 'renewed', tokens: taken.tokens, login: taken.record, isLate: true }
      if (performance.now() > giveUpAt) return UNAVAILABLE
      await sleep(LOOK_EVERY_MS)
    }
  }
}

async function renewHeld(
  options: RenewLoginOptions,
  refresh: RefreshToken,
  hold: Hold,
): Promise<Renewal> {
  try {
    const renewal = await renew(options, refresh, hold)
    if (renewal.kind === 'unavailable') await hold.release()
    return renewal
  } catch (error) {
    await hold.release().catch(() => undefined)
    if (!isOutage(error)) return { kind: 'over', reason: reasonOf(error), record: hold.record }
    options.log.warn('token_login.refresh_unavailable', { failure: reasonOf(error) })
    return UNAVAILABLE
  }
}

async function renew(
  { identity, exchange, exchangeTokens, log }: RenewLoginOptions,
  { token, subject }: RefreshToken,
  hold: Hold,
): Promise<Renewal> {
  const over = (reason: string, given: { unused?: NewTokens['pair'] } = {}): Renewal => ({
    kind: 'over',
    reason,
    record: hold.record,
    ...given,
  })
  if (hold.record.subject !== subject) return over('subject_differs')
  if (!(await exchange.isActive(token))) return over('refresh_token_revoked')
  const { accessToken, refreshToken } = await identity.refresh(hold.record.identityRefreshToken)
  // The one of before is used up: nothing else may fail until this one is kept.
  if (!(await insist(() => hold.keep(refreshToken), log))) return over('login_ended')
  const next = await exchangeTokens(accessToken)
  const unused = next.pair
  if (next.subject !== subject) return over('subject_differs', { unused })
  // Who revoked it meanwhile meant what came of it, too.
  if (!(await exchange.isActive(token))) return over('refresh_token_revoked', { unused })
  if (!(await hold.renew(next.jti, next.pair))) return over('login_ended', { unused })
  return { kind: 'renewed', tokens: next.pair, login: hold.record, isLate: false }
}

async function insist<T>(work: () => Promise<T>, log: Log): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      log.error('token_login.record_not_kept', { error, tries })
      if (tries === STORE_TRIES) throw error
    }
    await sleep(STORE_PAUSE_MS)
  }
}

/** Nobody said no. */
function isOutage(error: unknown): boolean {
  if (error instanceof IdentityServiceError) return error.status >= 500 || error.status === 429
  if (error instanceof SignInError)
    return error.code === 'adapter_unavailable' || error.code === 'client_refused'
  throw error
}

function reasonOf(error: unknown): string {
  return error instanceof IdentityServiceError || error instanceof SignInError
    ? error.code
    : 'unknown'
}

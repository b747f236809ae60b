// Sign-ins of /login.html from their first cookies to their end.
import type { Request, Response } from 'express'
import { noteFields } from '../../service/request-context.ts'
import type { Log } from '../../service/log.ts'
import type { TokenLoginEvents } from '../audit/token-login-events.ts'
import { principalFrom } from '../authentication/identify.ts'
import { loginKeyOf } from '../authentication/login-key.ts'
import { setPrincipal } from '../authentication/principal.ts'
import type { Principal } from '../authentication/principal.ts'
import type { VerifyToken } from '../authentication/token/verify-token.ts'
import { joinByKey } from '../join-by-key.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { Claims } from '../session/session-data.ts'
import type { EndLogin } from './end-login.ts'
import type { ExchangeTokens, NewTokens } from './exchange-tokens.ts'
import type { LoginRecord, LoginRecords } from './login-records.ts'
import type { ReadRefresh } from './read-refresh.ts'
import type { RefreshToken, Renewal, RenewLogin } from './renew-login.ts'
import type { LoginName, TokenCookies } from './token-cookies.ts'
import type { NewLogin, RefreshOutcome, TokenLogins } from './token-logins.ts'

export interface TokenLoginsOptions {
  readonly records: LoginRecords
  readonly tokenCookies: TokenCookies
  readonly exchangeTokens: ExchangeTokens
  readonly readRefresh: ReadRefresh
  readonly renewLogin: RenewLogin
  readonly endLogin: EndLogin
  readonly verify: VerifyToken
  readonly clientId: string
  readonly events: TokenLoginEvents
  readonly log: Log
  readonly now: () => number
}

export function createTokenLogins(options: TokenLoginsOptions): TokenLogins {
  const { tokenCookies, readRefresh, endLogin, events, log } = options
  const renewOnce = joinByKey((refresh: RefreshToken) => renewAndClean(options, refresh))
  return {
    begin: (req, res, login) => begin(options, req, res, login),
    async refresh(req, res) {
      const read = await readRefresh(req)
      const renewal: Renewal =
        read.kind === 'good'
          ? await renewOnce(read.refresh.jti, read.refresh)
          : { kind: 'over', reason: read.reason }
      return answer(options, req, res, renewal)
    },
    async end(req, res, why) {
      const { access, refresh } = tokenCookies.read(req)
      if (access === undefined && refresh === undefined) return false
      const record = await recordOf(options, req)
      if (record) await endLogin.end(record, [access, refresh])
      else await endLogin.revoke([access, refresh])
      tokenCookies.clear(res)
      log.info('token_login.ended', { flow_id: record?.flowId, reason: why })
      if (record) events.ended(record, why)
      return true
    },
  }
}

async function begin(
  options: TokenLoginsOptions,
  req: Request,
  res: Response,
  { login, flowId }: NewLogin,
): Promise<Principal> {
  const { exchangeTokens, endLogin, tokenCookies, log } = options
  let tokens: NewTokens | undefined
  try {
    tokens = await exchangeTokens(login.accessToken)
    await leaveBefore(options, req)
    const name = await createRecord(options, tokens, { login, flowId })
    tokenCookies.set(res, tokens.pair, name)
    log.info('token_login.begun', { flow_id: flowId, sub: tokens.subject })
    return signedIn(req, tokens.pair.access.token, tokens.claims, name)
  } catch (error) {
    if (error instanceof SignInError)
      log.warn('token_login.refused', { failure: error.code, reason: error.message })
    const { access, refresh } = tokens?.pair ?? {}
    await Promise.all([
      endLogin.leave(login.refreshToken),
      endLogin.revoke([access?.token, refresh?.token]),
    ])
    throw error
  }
}

/** Whoever was signed in in this browser with these cookies is so no more. */
async function leaveBefore(options: TokenLoginsOptions, req: Request): Promise<void> {
  const { tokenCookies, endLogin, events } = options
  const { access, refresh } = tokenCookies.read(req)
  const record = await recordOf(options, req)
  if (record) {
    await endLogin.end(record, [access, refresh])
    events.ended(record, 'replaced')
  }
}

function createRecord(
  { records, now }: TokenLoginsOptions,
  { subject, jti, pair }: NewTokens,
  { login, flowId }: NewLogin,
): Promise<LoginName> {
  const identityRefreshToken = login.refreshToken
  const record = { flowId, subject, startedAt: now(), identityRefreshToken, jti }
  return records.create(record, pair.refresh.expiresAt)
}

/** The sign-in that the cookies of a request are of, if there still is one. */
async function recordOf(
  { records, tokenCookies, readRefresh }: TokenLoginsOptions,
  req: Request,
): Promise<LoginRecord | undefined> {
  const { login } = tokenCookies.read(req)
  if (login) return records.find(login.loginId)
  const read = await readRefresh(req).catch(() => undefined)
  return read?.kind === 'good' ? records.findByJti(read.refresh.jti) : undefined
}

async function renewAndClean(
  { renewLogin, endLogin, events, log }: TokenLoginsOptions,
  refresh: RefreshToken,
): Promise<Renewal> {
  const renewal = await renewLogin(refresh)
  if (renewal.kind === 'renewed' && !renewal.isLate) {
    const { login, tokens } = renewal
    log.info('token_login.refreshed', { flow_id: login.flowId, sub: refresh.subject })
    events.refreshed({ ...login, subject: refresh.subject }, tokens)
    // It is used up here; the adapter need not keep it any longer.
    void endLogin.revoke([refresh.token])
  }
  if (renewal.kind === 'over' && renewal.record) {
    const { flowId } = renewal.record
    const { access, refresh: next } = renewal.unused ?? {}
    await endLogin.end(renewal.record, [refresh.token, access?.token, next?.token])
    log.warn('token_login.ended', { flow_id: flowId, reason: renewal.reason })
    events.ended(renewal.record, renewal.reason)
  }
  return renewal
}

async function answer(
  { tokenCookies, verify, clientId, events, log }: TokenLoginsOptions,
  req: Request,
  res: Response,
  renewal: Renewal,
): Promise<RefreshOutcome> {
  const failure = failureOf(renewal)
  if (failure !== undefined) events.notRefreshed(tokenCookies.read(req).login?.flowId, failure)
  if (renewal.kind === 'unavailable') return renewal
  if (renewal.kind === 'over') {
    tokenCookies.clear(res)
    log.info('token_login.refresh_refused', { reason: renewal.reason })
    return { kind: 'over', reason: renewal.reason }
  }
  const { tokens, login } = renewal
  const { token } = tokens.access
  const verdict = await verify(token, { via: 'cookie', audience: clientId })
  if (!verdict.valid) return { kind: 'over', reason: `access_token_${verdict.reason}` }
  tokenCookies.set(res, tokens, login)
  return { kind: 'refreshed', principal: signedIn(req, token, verdict.claims, login) }
}

/** Of what ended no sign-in that is known here. */
function failureOf(renewal: Renewal): string | undefined {
  if (renewal.kind === 'over' && !renewal.record) return renewal.reason
  return renewal.kind === 'unavailable' ? renewal.kind : undefined
}

function signedIn(req: Request, token: string, claims: Claims, login: LoginName): Principal {
  const { loginId, flowId } = login
  const names = { loginKey: loginKeyOf('login', loginId), flowId }
  const principal = principalFrom('cookie', token, claims, names)
  setPrincipal(req, principal)
  noteFields({ flow_id: flowId })
  return principal
}

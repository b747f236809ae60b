// The end of a sign-in at /login.html, everywhere it lives: here, at the identity service, at the adapter, and in what was
// opened for it. What does not answer does not keep the rest from ending.
import type { Log } from '../../service/log.ts'
import { loginKeyOf } from '../authentication/login-key.ts'
import type { LoginEnds } from '../authentication/login-ends.ts'
import type { IdentityService } from '../identity/identity-service.ts'
import type { TokenExchange } from '../relying-party/exchanged-tokens.ts'
import type { LoginRecord, LoginRecords } from './login-records.ts'

export interface EndLoginOptions {
  readonly records: Pick<LoginRecords, 'remove'>
  readonly identity: Pick<IdentityService, 'logout'>
  readonly exchange: Pick<TokenExchange, 'revoke'>
  readonly loginEnds: Pick<LoginEnds, 'ended'>
  readonly log: Log
}

export interface EndLogin {
  /** `tokens`: those known to be of it. Rejects with SessionStoreError, and has ended nothing then. */
  end(record: LoginRecord, tokens: readonly (string | undefined)[]): Promise<void>
  /** Withdraws tokens of the adapter, and tells only the log where that can not be done. */
  revoke(tokens: readonly (string | undefined)[]): Promise<void>
  /** Ends a session of the identity service, likewise. */
  leave(identityRefreshToken: string): Promise<void>
}

export function createEndLogin(options: EndLoginOptions): EndLogin {
  const { records, identity, exchange, loginEnds, log } = options

  const attempt = (where: string, work: Promise<void>): Promise<void> =>
    work.catch((error: unknown) => log.warn('token_login.not_ended_there', { where, error }))
  const leave = (identityRefreshToken: string) =>
    attempt('identity service', identity.logout(identityRefreshToken))
  async function revoke(tokens: readonly (string | undefined)[]): Promise<void> {
    const known = tokens.filter((token) => token !== undefined)
    await Promise.all(known.map((token) => attempt('adapter', exchange.revoke(token))))
  }

  return {
    revoke,
    leave,
    async end(record, tokens) {
      await records.remove(record.loginId)
      loginEnds.ended(loginKeyOf('login', record.loginId))
      await Promise.all([leave(record.identityRefreshToken), revoke(tokens)])
    },
  }
}

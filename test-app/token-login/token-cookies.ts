// The cookies of a sign-in at /login.html: the access and the refresh JWT, and beside them which sign-in they belong to.
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import { shortHash } from '../audit/hashes.ts'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import type { ExchangedToken } from '../relying-party/exchanged-tokens.ts'
import type { Seal } from '../session/seal.ts'

/** What the adapter gave for one sign-in. */
export interface TokenPair {
  readonly access: ExchangedToken
  readonly refresh: ExchangedToken
}

/** Names a sign-in, from its first step to its end. */
export interface LoginName {
  /** Never seen outside: not in a log, not on a page. */
  readonly loginId: string
  readonly flowId: string
}

export interface TokenCookies {
  /** As sent, not verified. */
  read(req: Pick<IncomingMessage, 'headers'>): {
    access: string | undefined
    refresh: string | undefined
    /** Where this app said so of this access token. */
    login: LoginName | undefined
  }
  set(res: Response, tokens: TokenPair, login: LoginName): void
  clear(res: Response): void
}

export interface TokenCookiesOptions {
  readonly cookies: CookieSettings
  readonly seal: Seal
  readonly now: () => number
}

export function createTokenCookies({ cookies, seal, now }: TokenCookiesOptions): TokenCookies {
  const names = {
    access: cookies.named('ACCESS'),
    refresh: cookies.named('REFRESH'),
    // Not in the tokens: they say nothing that stays the same when they are refreshed.
    login: cookies.named('TOKEN_LOGIN'),
  }
  const contextOf = (access: string) => `${names.login} ${shortHash(access)}`

  function loginOf(access: string | undefined, sealed: string | undefined): LoginName | undefined {
    if (access === undefined || sealed === undefined) return undefined
    const plain = seal.open(sealed, contextOf(access))
    return plain && (JSON.parse(plain.toString()) as LoginName)
  }

  return {
    read(req) {
      const sent = cookiesOf(req)
      const access = sent.get(names.access) || undefined
      return {
        access,
        refresh: sent.get(names.refresh) || undefined,
        login: loginOf(access, sent.get(names.login)),
      }
    },
    set(res, { access, refresh }, { loginId, flowId }) {
      // The access token stays when it is over, so that a refresh can see whose it was.
      const lifetimeMs = refresh.expiresAt - now()
      const login = Buffer.from(JSON.stringify({ loginId, flowId }))
      cookies.set(res, names.access, access.token, lifetimeMs)
      cookies.set(res, names.refresh, refresh.token, lifetimeMs)
      cookies.set(res, names.login, seal.seal(login, contextOf(access.token)), lifetimeMs)
    },
    clear(res) {
      for (const name of Object.values(names)) cookies.clear(res, name)
    },
  }
}

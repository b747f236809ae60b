// Who a socket is, as for any request, and whether that sign-in is still open. The token in a cookie is good until it expires;
// a sign-out, in whichever process of this app, removed the record of its sign-in at once.
import type { IncomingMessage } from 'node:http'
import type { Authenticate } from '../../authentication/authenticate.ts'
import type { Principal } from '../../authentication/principal.ts'
import { createLoginRecords } from '../../token-login/login-records.ts'
import type { TokenCookies } from '../../token-login/token-cookies.ts'
import type { SealedRecords } from '../../store/sealed-records.ts'

export interface SocketSignInOptions {
  readonly authenticate: Authenticate
  readonly tokenCookies: Pick<TokenCookies, 'read'>
  readonly store: { readonly records: SealedRecords }
  readonly now: () => number
}

export function createSocketSignIn(options: SocketSignInOptions): Authenticate {
  const { authenticate, tokenCookies, store, now } = options
  const logins = createLoginRecords({ records: store.records, now })

  async function isOpen({ via }: Principal, req: IncomingMessage): Promise<boolean> {
    if (via !== 'cookie') return true
    const { login } = tokenCookies.read(req)
    return login !== undefined && (await logins.find(login.loginId)) !== undefined
  }

  return async (req) => {
    const principal = await authenticate(req)
    return principal && (await isOpen(principal, req)) ? principal : undefined
  }
}

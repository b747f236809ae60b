// What a browser that is signed in asks for: new tokens, and to be signed out.
import { isUnknown, principalOf } from '../../authentication/principal.ts'
import type { TokenLogins } from '../../token-login/token-logins.ts'
import { signedIn, signedOut } from '../answers.ts'
import type { Refusal, SignedIn, SignedOut } from '../answers.ts'
import type { Asked } from '../http/graphql-handler.ts'
import { adapterUnavailable, refusal } from '../refusals.ts'
import type { WayOut } from './way-out.ts'

type Resolve<Result> = (parent: unknown, args: object, asked: Asked) => Promise<Result>

export interface SessionMutations {
  readonly refresh: Resolve<SignedIn | Refusal>
  readonly logout: Resolve<SignedOut | Refusal>
}

export interface SessionMutationOptions {
  readonly tokenLogins: Pick<TokenLogins, 'refresh' | 'end'>
  readonly wayOut: WayOut
}

export function createSessionMutations(options: SessionMutationOptions): SessionMutations {
  const { tokenLogins, wayOut } = options
  return {
    async refresh(_parent, _args, { req, res }) {
      const principal = principalOf(req)
      // The gate keeps the tokens of a session fresh.
      if (principal?.via === 'session') return signedIn(principal)
      if (principal?.via === 'bearer') return bearerStays('renewed')
      if (isUnknown(req)) return adapterUnavailable()
      const outcome = await tokenLogins.refresh(req, res)
      if (outcome.kind === 'refreshed') return signedIn(outcome.principal)
      return outcome.kind === 'over'
        ? refusal('REFRESH_REFUSED', 'There is nothing to refresh any more. Sign in again.')
        : adapterUnavailable()
    },
    async logout(_parent, _args, asked) {
      if (principalOf(asked.req)?.via === 'bearer') return bearerStays('ended')
      const endSession = wayOut.sessionOf(asked)
      const ended = [
        await wayOut.endChoice(asked),
        await tokenLogins.end(asked.req, asked.res, 'logout'),
        endSession !== undefined,
      ]
      await endSession?.('logout')
      return signedOut(ended.includes(true) ? 'You are signed out.' : 'Nobody was signed in.')
    },
  }
}

const bearerStays = (what: string): Refusal =>
  refusal('BEARER_TOKEN', `A token in the Authorization header is not ${what} here.`)

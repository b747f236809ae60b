// Where the choice of an upstream meets an authorization request: the hints are parameters that we know, a wrong one is
// refused, and a session of another upstream is no answer. What is right or wrong is passed in.
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { Identity } from '../../storage/sessions/identities.ts'
import { loginResult, type KnownAccount } from '../people/account.ts'

export interface ChoiceOfUpstream {
  /** Parameters of an authorization request that name an upstream. */
  hints: readonly string[]
  choose(
    request: RequestedChoice,
  ): { kind: 'refused'; description: string } | { kind: 'upstream' | 'chooser' }
  isAnsweredBy(request: RequestedChoice, upstream: string): boolean
  /** Whether the upstream that signed them in has changed since, so that they have to sign in there again. */
  isOutdated(identity: Identity): boolean
}

export interface RequestedChoice {
  clientId: string
  params: Readonly<Record<string, unknown>>
}

export function requestedChoice({ oidc }: KoaContextWithOIDC): RequestedChoice {
  return { clientId: oidc.client?.clientId ?? '', params: { ...oidc.params } }
}

/** oidc-provider's `extraParams`: parameters that are known, some with what judges them. */
export type ExtraParams = Record<string, ((ctx: KoaContextWithOIDC) => void) | null>

/** The names of `extraParams`; one function judges them all, since two may contradict each other. */
export function upstreamHints(choice: ChoiceOfUpstream): ExtraParams {
  const refuse = (ctx: KoaContextWithOIDC) => {
    const chosen = choice.choose(requestedChoice(ctx))
    // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
    if (chosen.kind === 'refused') throw new errors.InvalidRequest(chosen.description)
  }
  const judged = choice.hints.map((hint, index) => [hint, index === 0 ? refuse : null])
  return Object.fromEntries(judged) as ExtraParams
}

/** Somebody signed in, but by another upstream than the app asks for or is allowed: they sign in there. */
export function otherUpstreamCheck({ isAnsweredBy }: ChoiceOfUpstream): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'other_upstream',
    'End-User authentication at another identity provider is required',
    'login_required',
    (ctx) => {
      const account = ctx.oidc.account as KnownAccount | undefined
      return account !== undefined && !isAnsweredBy(requestedChoice(ctx), account.identity.upstream)
    },
  )
}

/** Somebody signed in, but their upstream has been configured anew since. Who signs in at this very request has not. */
export function upstreamChangedCheck({ isOutdated }: ChoiceOfUpstream): interactionPolicy.Check {
  return new interactionPolicy.Check(
    'upstream_changed',
    'End-User authentication at the identity provider as it is now is required',
    'login_required',
    (ctx) => {
      const account = ctx.oidc.account as KnownAccount | undefined
      return account !== undefined && !loginResult(ctx) && isOutdated(account.identity)
    },
  )
}

// When a session is no answer to an authorization request, so that somebody has to sign in: oidc-provider's own checks
// and ours beside them. What each login then asks for is decided in interaction/next-step.ts.
import { interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import {
  otherUpstreamCheck,
  upstreamChangedCheck,
  type ChoiceOfUpstream,
} from './upstream-choice.ts'

type Policy = NonNullable<NonNullable<Configuration['interactions']>['policy']>

export function loginPolicy(choice: ChoiceOfUpstream): Policy {
  const prompts = interactionPolicy.base()
  for (const check of [nobodyCheck(), otherUpstreamCheck(choice), upstreamChangedCheck(choice)])
    prompts.get('login')?.checks.add(check)
  return prompts
}

/** A session whose identity is gone (or was never complete) signs in again instead of failing. */
function nobodyCheck(): interactionPolicy.Check {
  const isNobody = (ctx: KoaContextWithOIDC) =>
    ctx.oidc.session?.accountId !== undefined && ctx.oidc.account === undefined
  return new interactionPolicy.Check(
    'no_identity',
    'End-User authentication is required',
    'login_required',
    isNobody,
  )
}

// When a session is no answer to an authorization request, so that somebody has to sign in: oidc-provider's own checks
// and ours beside them. What each login then asks for is decided in interaction/next-step.ts.
import { interactionPolicy, type Configuration, type KoaContextWithOIDC } from 'oidc-provider'
import {
  otherUpstreamCheck,
  upstreamChangedCheck,
  type ChoiceOfUpstream,
} from './upstream-choice.ts'
import { deviceMaxAgeCheck } from '../device/max-age-check.ts'
import { acrCheck, unknownAuthTimeCheck, type RequestedContext } from './requested-context.ts'

type Policy = NonNullable<NonNullable<Configuration['interactions']>['policy']>

export function loginPolicy(choice: ChoiceOfUpstream, context: RequestedContext): Policy {
  const prompts = interactionPolicy.base()
  const login = prompts.get('login')
  // `acr` judges these too, by all that a sign-in proves.
  for (const reason of ['essential_acr', 'essential_acrs']) login?.checks.remove(reason)
  const checks = [
    nobodyCheck(),
    otherUpstreamCheck(choice),
    upstreamChangedCheck(choice),
    unknownAuthTimeCheck(),
    acrCheck(context),
    deviceMaxAgeCheck(context.markers.anew),
  ]
  for (const check of checks) login?.checks.add(check)
  // Before `login`, which is done with it: one trip upstream answers both.
  prompts.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0)
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

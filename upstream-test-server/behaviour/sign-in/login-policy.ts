// When oidc-provider asks people to sign in: as it does by itself, and for a stronger authentication. Who was told to
// be refused is, also where no form is shown. Nobody is asked for consent.
import { errors, interactionPolicy } from 'oidc-provider'
import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type { Scenario } from '../scenario.ts'
import type { Users } from '../../people/users.ts'
import { reachedBy } from './authentication.ts'

const { Check, Prompt, base } = interactionPolicy

export interface LoginPolicyOptions {
  scenario: Scenario
  users: Users
}

function isTooWeak({ oidc }: KoaContextWithOIDC, { scenario, users }: LoginPolicyOptions) {
  const { session, params, result } = oidc
  const asked = params?.['acr_values']
  if (typeof asked !== 'string' || !session?.accountId || result?.login) return false
  const { levels } = scenario.authentication.current()
  const able = scenario.people.of(users.find(session.accountId)?.username).acr
  const names = asked.split(' ')
  const isReached = session.acr !== undefined && names.includes(session.acr)
  return !isReached && names.includes(reachedBy(asked, levels, able).acr)
}

function refuseIfTold({ oidc }: KoaContextWithOIDC, { scenario, users }: LoginPolicyOptions) {
  const accountId = oidc.session?.accountId
  if (accountId === undefined) return
  const error = scenario.refusals.take('consent', users.find(accountId)?.username)
  if (error === undefined) return
  throw new errors.CustomOIDCProviderError(error, 'The end-user refused, as this server was told')
}

export function loginPolicy(options: LoginPolicyOptions) {
  const policy = base()
  policy.remove('consent')
  const login = policy.get('login')
  login?.checks.add(
    new Check('acr_too_weak', 'A stronger sign-in is asked for', 'login_required', (ctx) =>
      isTooWeak(ctx, options),
    ),
  )
  const consent = new Prompt(
    { name: 'consent', requestable: true },
    new Check('told_to_refuse', 'The end-user refused', (ctx) => {
      refuseIfTold(ctx, options)
      return Check.NO_NEED_TO_PROMPT
    }),
  )
  consent.checks.remove('consent_prompt')
  policy.add(consent)
  return policy as NonNullable<Configuration['interactions']>['policy']
}

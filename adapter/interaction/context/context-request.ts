// What an upstream is asked for beside the protocol's own parameters: the app's wishes, translated by its `context` table.
// A parameter that is not in the table goes nowhere.
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import type { UpstreamAuthorizationRequest } from '../../upstream/upstream.ts'
import type { NextStep } from '../next-step.ts'
import { askedContext, type AskedContext } from './asked-context.ts'

type Params = Readonly<Record<string, unknown>>

/** For `authorizationUrl`. */
export function contextRequest(
  upstream: AnyUpstreamConfig,
  params: Params,
  step: Extract<NextStep, { kind: 'login' }>,
): Pick<UpstreamAuthorizationRequest, 'prompt' | 'max_age' | 'params'> {
  const asked = askedContext(params)
  const prompt = asked.isSilent ? 'none' : promptOf(step, params)
  const forwarded = forwardedParams(upstream.context.forward, params)
  return {
    ...(prompt === undefined ? {} : { prompt }),
    ...(asked.maxAge === undefined ? {} : { max_age: asked.maxAge }),
    params: upstream.kind === 'oidc' ? { ...forwarded, ...wishes(upstream, asked) } : forwarded,
  }
}

/** Both of them where the app asks for both. */
function promptOf({ prompt }: { prompt?: string }, params: Params): string | undefined {
  const asked = String(params['prompt'] ?? '').split(' ')
  return prompt === 'select_account' && asked.includes('login') ? 'login select_account' : prompt
}

function forwardedParams(names: readonly string[], params: Params): Record<string, string> {
  const sent = names.filter((name) => typeof params[name] === 'string')
  return Object.fromEntries(sent.map((name) => [name, params[name] as string]))
}

function wishes(
  { context, authorization_params }: Extract<AnyUpstreamConfig, { kind: 'oidc' }>,
  { acr, wantsAuthTime }: AskedContext,
): Record<string, string> {
  const rules = acr.flatMap((name) => ruleOf(context.acr, name) ?? [])
  const names = context.acr ? rules.flatMap(({ acr_values }) => acr_values ?? []) : acr
  // The one wanted most wins where two send the same parameter.
  const params = Object.assign({}, ...rules.toReversed().map((rule) => rule.params)) as Params
  const values = [...new Set(names.join(' ').split(' '))].join(' ')
  return {
    ...(params as Record<string, string>),
    ...(values === '' ? {} : { acr_values: values }),
    ...(wantsAuthTime
      ? { claims: withAuthTime(params['claims'] ?? authorization_params['claims']) }
      : {}),
  }
}

function ruleOf<Rule>(table: Readonly<Record<string, Rule>> | undefined, name: string) {
  return table && Object.hasOwn(table, name) ? table[name] : undefined
}

/** Many providers say when a person signed in only if they are asked (OpenID Connect Core, section 5.5.1). */
function withAuthTime(configured: unknown): string {
  // https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests
  const claims = JSON.parse(typeof configured === 'string' ? configured : '{}') as {
    id_token?: object
  }
  return JSON.stringify({
    ...claims,
    id_token: { auth_time: { essential: true }, ...claims.id_token },
  })
}

// Whether an authentication is what the app asked for. Only what the upstream's ID token says counts; what was asked is
// never taken for what was done (A49). Pure.
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { UpstreamError } from '../../errors.ts'
import type { UpstreamIdentity } from '../../upstream/upstream.ts'
import { askedContext, type AskedContext } from './asked-context.ts'

type Said = Pick<UpstreamIdentity, 'acr' | 'amr' | 'auth_time' | 'upstream'>
type AcrTable = NonNullable<Extract<AnyUpstreamConfig, { kind: 'oidc' }>['context']['acr']>
type Proof = AcrTable[string]['proven_by']

export interface JudgedContext {
  /** What apps may be told, the strongest first. */
  acrs: readonly string[]
  /** What this app is told. */
  acr: string | undefined
}

export interface ContextQuestion {
  upstream: AnyUpstreamConfig
  /** Of the authorization request. */
  params: Readonly<Record<string, unknown>>
  /** Epoch milliseconds; when the upstream was asked. */
  askedAt: number
}

/** @throws UpstreamError `context_unmet` */
export function judgeContext(question: ContextQuestion, said: Said): JudgedContext {
  const { upstream } = question
  const asked = askedContext(question.params)
  const unmet = (message: string) => new UpstreamError('context_unmet', said.upstream, message)
  if (isOldAuthentication(question, said))
    throw unmet('The person was to sign in anew, and the ID token does not say that they did')
  const acrs = provenAcrs(upstream, said)
  if (isAcrUnmet(upstream, asked, acrs))
    throw unmet(`acr: asked for ${listed(asked.acr)}, proven is ${listed(acrs)}`)
  return { acrs, acr: acrFor(asked, acrs) }
}

/**
 * Before the person is sent anywhere.
 * @throws UpstreamError `context_unmet` when no answer of this upstream would do
 */
export function checkReach(
  { upstream, params }: Pick<ContextQuestion, 'upstream' | 'params'>,
  name: string,
): void {
  if (isBeyondUpstream(upstream, askedContext(params)))
    throw new UpstreamError(
      'context_unmet',
      name,
      'The app asks for what this upstream can not prove',
    )
}

/** OAuth 2.0 says neither how nor when a person signed in. */
function isBeyondUpstream(upstream: AnyUpstreamConfig, asked: AskedContext): boolean {
  if (upstream.kind === 'oauth2')
    return asked.maxAge !== undefined || isAcrUnmet(upstream, asked, [])
  const table = acrTable(upstream)
  return table !== undefined && isAcrUnmet(upstream, asked, Object.keys(table))
}

/** Whether one of the names that the app asks for had to be proven and is not. */
export function isAcrUnmet(
  upstream: AnyUpstreamConfig,
  asked: Pick<AskedContext, 'acr' | 'isAcrEssential'>,
  acrs: readonly string[],
): boolean {
  // "requested as a Voluntary Claim": https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest. A table makes it a demand.
  const mustHold = asked.isAcrEssential || acrTable(upstream) !== undefined
  return mustHold && asked.acr.length > 0 && !asked.acr.some((name) => acrs.includes(name))
}

export function acrFor(
  { acr }: Pick<AskedContext, 'acr'>,
  acrs: readonly string[],
): string | undefined {
  return acr.find((name) => acrs.includes(name)) ?? acrs[0]
}

export function acrTable(upstream: AnyUpstreamConfig): AcrTable | undefined {
  return upstream.kind === 'oidc' ? upstream.context.acr : undefined
}

/** In words that apps understand, the strongest first. */
export function provenAcrs(upstream: AnyUpstreamConfig, said: Said): string[] {
  const table = acrTable(upstream)
  if (!table) return said.acr === undefined ? [] : [said.acr]
  const proven = Object.entries(table).filter(([, { proven_by }]) => isProven(proven_by, said))
  return proven.map(([name]) => name)
}

function isProven({ acr, amr_any: any, amr_all: all }: Proof, said: Said): boolean {
  const amr = said.amr ?? []
  return (
    (acr === undefined || (said.acr !== undefined && acr.includes(said.acr))) &&
    (any === undefined || any.some((method) => amr.includes(method))) &&
    (all === undefined || all.every((method) => amr.includes(method)))
  )
}

/**
 * An upstream that let the person pass by an earlier sign-in. One that does not say when it was is not contradicted, unless
 * the app set `max_age=0`, which makes `auth_time` a must (OpenID Connect Core, section 3.1.2.1).
 */
function isOldAuthentication(
  { upstream, params, askedAt }: ContextQuestion,
  { auth_time: authTime }: Said,
): boolean {
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
  const isAskedAnew = String(params['prompt'] ?? '')
    .split(' ')
    .includes('login')
  if (!isAskedAnew || upstream.kind === 'oauth2') return false
  if (authTime === undefined) return askedContext(params).maxAge === 0
  return authTime < Math.floor(askedAt / 1000) - upstream.clock_tolerance
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'none' : JSON.stringify(names).slice(0, 200)
}

// The second half of an upstream login: judges the upstream's answer, maps the identity, and leaves it with the
// interaction. The login transaction is taken before anything else, so that an answer counts once.
import type { Interaction } from 'oidc-provider'
import { claimsElsewhere } from '../claims/claims-elsewhere.ts'
import { unmetRequirements } from '../claims/requirements.ts'
import type { AnyUpstreamConfig } from '../config/schema.ts'
import { InteractionError } from '../errors.ts'
import type { Identity } from '../storage/sessions/identities.ts'
import type { LoginTransaction } from '../storage/tokens/login-transactions.ts'
import type { UpstreamIdentity } from '../upstream/upstream.ts'
import { currentContext, noteFields } from '../../service/request-context.ts'
import { unlogged } from '../../service/unlogged.ts'
import { askedContext } from './context/asked-context.ts'
import { judgeContext } from './context/judge-context.ts'
import { sourcesOf } from './map-identity.ts'
import type { MapIdentity } from './map-identity.ts'
import {
  answer,
  boundLogin,
  clientOf,
  handleUpstreamError,
  knownUpstream,
  startPath,
  type Location,
  type LoginParts,
} from './start-login.ts'

export interface FinishParts extends LoginParts {
  mapIdentity: MapIdentity
  /** The `sub` that a client sees. */
  subjectFor: (clientId: string | undefined, accountId: string) => string
  /** The client of this browser's session, if it is signed in. */
  signedInClient: () => Promise<{ clientId: string | undefined } | undefined>
  isSessionAlive: (uid: string) => Promise<boolean>
}

export interface FinishRequest {
  upstream: string
  parameters: URLSearchParams
  cookieHeader: string | undefined
}

const STATE = /^([A-Za-z0-9_-]{10,64})\.[A-Za-z0-9_-]{43}$/

/**
 * @throws InteractionError when the answer does not belong to a login of this browser
 * @throws UpstreamError when the person is better served by a page than by a redirect
 */
export async function finishLogin(parts: FinishParts, request: FinishRequest): Promise<Location> {
  const upstream = knownUpstream(parts, request.upstream)
  const states = request.parameters.getAll('state')
  const state = states[0] ?? ''
  const uid = STATE.exec(state)?.[1]
  if (states.length !== 1 || uid === undefined)
    throw new InteractionError('not_started_here', 'the answer carries no state of ours')
  const transaction = await parts.transactions.take(state)
  if (!transaction) return wayOnWithoutTransaction(parts, request, uid)
  noteFields({ flow_id: transaction.flowId })
  if (transaction.upstream !== upstream.name) {
    parts.log.warn('upstream.mixup', { expected: transaction.upstream, received: upstream.name })
    throw new InteractionError(
      'upstream_mismatch',
      `the login began at "${transaction.upstream}", the answer came for "${upstream.name}"`,
    )
  }
  const { clientId } = await boundLogin(parts, {
    uid: transaction.interactionUid,
    cookieHeader: request.cookieHeader,
  })
  const interaction = await parts.interactions.find(transaction.interactionUid)
  if (!interaction)
    throw new InteractionError('expired', 'the interaction is over', { wayOn: { clientId } })
  if (interaction.result) return interaction.returnTo
  return redeem(parts, request, { interaction, transaction, state, clientId })
}

/** `max_age=0` is judged by when the upstream was asked; other limits by the age of the sign-in. */
function limitOf(params: Interaction['params']): { max_age?: number } {
  const { maxAge } = askedContext(params)
  return maxAge ? { max_age: maxAge } : {}
}

interface Redemption {
  interaction: Interaction
  transaction: LoginTransaction
  state: string
  clientId: string
}

async function redeem(
  parts: FinishParts,
  request: FinishRequest,
  { interaction, transaction, state, clientId }: Redemption,
): Promise<Location> {
  const upstream = knownUpstream(parts, request.upstream)
  const { params } = interaction
  const { redirect_uri, nonce, codeVerifier } = transaction
  try {
    const expected = {
      redirect_uri,
      state,
      nonce,
      codeVerifier,
      ...limitOf(params),
    }
    const said = await upstream.redeem(request.parameters, expected)
    const unmet = unmetRequirements(parts.upstreamConfigs[upstream.name]?.require, sourcesOf(said))
    if (unmet.length > 0) {
      const elsewhere = claimsElsewhere(sourcesOf(said))
      const why = { rules: unmet, ...(elsewhere.length > 0 ? { elsewhere } : {}) }
      parts.log.warn('login.denied', { upstream: upstream.name, client_id: clientId, ...why })
      return await answer(interaction, denied(unmet))
    }
    const settings = parts.upstreamConfigs[upstream.name] as AnyUpstreamConfig
    const askedAt = transaction.createdAt
    const { acrs, acr } = judgeContext({ upstream: settings, params, askedAt }, said)
    const identity = { ...(await parts.mapIdentity(said, clientId)), acrs }
    const subject = parts.subjectFor(clientId, identity.accountId)
    if (contradictsHint(interaction, subject) || isOtherThanHere(interaction, identity))
      return await answer(interaction, ANOTHER_PERSON)
    await forgetEndedSession(parts, interaction)
    const person = unlogged({ person: identity.accountId })
    parts.log.info('login.finished', { upstream: upstream.name, client_id: clientId, ...person })
    return await answer(interaction, loginResult(interaction, { ...said, acr }, identity))
  } catch (error) {
    return handleUpstreamError(parts, error, { interaction, upstream: upstream.name, clientId })
  }
}

/** The app learns which kind of rule it was; the log has the claim too. Nobody learns a value. */
function denied(unmet: readonly string[]): NonNullable<Interaction['result']> {
  const kinds = new Set(unmet.map((rule) => rule.split('.', 2).join('.')))
  const flowId = currentContext()?.fields['flow_id']
  const flow = flowId === undefined ? '' : ` (flow ${flowId})`
  return {
    error: 'access_denied',
    error_description: `the sign-in does not meet ${[...kinds].join(', ')}${flow}`,
  }
}

const ANOTHER_PERSON = {
  error: 'login_required',
  error_description: 'the end-user of id_token_hint did not sign in',
}

/** oidc-provider judges the hint before a login, not after it. It verified the hint then; here only its subject is read. */
function contradictsHint({ params }: Interaction, subject: string): boolean {
  // https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
  const hint = params['id_token_hint']
  if (typeof hint !== 'string') return false
  const { sub } = JSON.parse(Buffer.from(hint.split('.')[1] ?? '', 'base64url').toString()) as {
    sub?: unknown
  }
  return sub !== subject
}

/** Another person takes over a session on a page of oidc-provider's, which an app that wants none must not get. */
function isOtherThanHere({ params, session }: Interaction, { accountId }: Identity): boolean {
  const isSomebodyHere = session?.accountId !== undefined && session.accountId !== accountId
  return askedContext(params).isSilent && isSomebodyHere
}

/** The session that this login was to renew may have ended meanwhile, by logout in another tab: then it begins a new one. */
async function forgetEndedSession(
  { isSessionAlive }: FinishParts,
  interaction: Interaction,
): Promise<void> {
  const uid = interaction.session?.uid
  if (uid !== undefined && !(await isSessionAlive(uid))) delete interaction.session
}

function loginResult(
  interaction: Interaction,
  {
    acr,
    amr,
    auth_time,
  }: { acr: string | undefined } & Pick<UpstreamIdentity, 'amr' | 'auth_time'>,
  identity: Identity,
): NonNullable<Interaction['result']> {
  const login = {
    accountId: identity.accountId,
    remember: false,
    // Not known is not now: an earlier sign-in upstream may have let the person pass. provider/requested-context.ts reads null.
    ts: (auth_time ?? null) as number,
    ...(acr === undefined ? {} : { acr }),
    ...(amr === undefined ? {} : { amr }),
  }
  const isNativePrompt = interaction.prompt.reasons.includes('native_client_prompt')
  return {
    ...interaction.lastSubmission,
    login,
    upstream: { identity },
    ...(isNativePrompt ? { consent: {} } : {}),
    ...(interaction.prompt.name === 'select_account' ? { select_account: {} } : {}),
  }
}

/**
 * The state was used before, expired, or never was. In the browser that began the login this is mostly a reload, a double
 * click, or a restart in between: go on where the login stands (F46, F60).
 */
async function wayOnWithoutTransaction(
  parts: FinishParts,
  { upstream, cookieHeader }: FinishRequest,
  uid: string,
): Promise<Location> {
  const bound = parts.binding.find(uid, cookieHeader)
  const interaction = await parts.interactions.find(uid)
  if (interaction && bound && !bound.isExpired)
    return interaction.result ? interaction.returnTo : startPath(upstream, uid)
  const signedIn = await parts.signedInClient()
  if (signedIn)
    throw new InteractionError('already_signed_in', 'the state was used before', {
      wayOn: { clientId: bound?.clientId ?? signedIn.clientId },
    })
  const code = bound?.isExpired ? 'expired' : 'not_started_here'
  throw new InteractionError(code, 'the state is unknown, used or expired', {
    wayOn: { clientId: bound?.clientId ?? clientOf(interaction) },
  })
}

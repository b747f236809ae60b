// The first half of an upstream login: from our interaction to the upstream's authorization endpoint. Leaves one login
// transaction behind, which finish-login.ts takes.
import { randomBytes } from 'node:crypto'
import type { Interaction } from 'oidc-provider'
import type { AnyUpstreamConfig } from '../config/schema.ts'
import { InteractionError, UpstreamError, type InteractionErrorCode } from '../errors.ts'
import type { LoginTransaction, LoginTransactions } from '../storage/tokens/login-transactions.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { currentContext, noteFields } from '../../service/request-context.ts'
import type { Log } from '../../service/log.ts'
import { askedContext } from './context/asked-context.ts'
import { contextRequest } from './context/context-request.ts'
import { checkReach } from './context/judge-context.ts'
import { downstreamError, silentError } from './downstream-error.ts'
import type { UpstreamChooser } from './choose/choose-upstream.ts'
import type { BoundLogin, LoginBinding } from './login-binding.ts'
import { nextStep } from './next-step.ts'

export interface Interactions {
  find(uid: string): Promise<Interaction | undefined>
}

export interface LoginParts {
  issuer: string
  interactions: Interactions
  upstreams: { get(name: string): Upstream | undefined }
  upstreamConfigs: Record<string, AnyUpstreamConfig>
  transactions: LoginTransactions
  chooser: Pick<UpstreamChooser, 'choose' | 'mayStart'>
  binding: LoginBinding
  ttlSeconds: number
  log: Log
  now: () => number
}

/** Where the browser is sent next: a URL of the upstream, or a path of ours. */
export type Location = string

export interface StartRequest {
  upstream: string
  uid: string
  cookieHeader: string | undefined
}

const SECRET_BYTES = 32

export function startPath(upstream: string, uid: string): string {
  return `/oauth2/authorization/${upstream}?interaction=${uid}`
}

export function chooserPath(uid: string): string {
  return `/oauth2/authorization?interaction=${uid}`
}

/** One callback path for each upstream, so that answers can not be mixed up (RFC 9700, section 4.4). */
export function callbackPath(upstream: string): string {
  // https://www.rfc-editor.org/rfc/rfc9700#section-4.4
  return `/login/oauth2/code/${upstream}`
}

/**
 * @throws InteractionError `unknown_upstream`, `cookies_blocked`, `not_started_here`, `expired`
 * @throws UpstreamError when the upstream can not be asked now
 */
export async function startLogin(parts: LoginParts, request: StartRequest): Promise<Location> {
  const upstream = knownUpstream(parts, request.upstream)
  // We set the cookie one redirect ago: a browser that brings none at all keeps none.
  const { clientId, flowId } = await boundLogin(parts, request, 'cookies_blocked')
  const secrets = { state: `${request.uid}.${secret()}`, nonce: secret(), codeVerifier: secret() }
  const redirect_uri = parts.issuer + callbackPath(upstream.name)
  const [interaction] = await Promise.all([
    parts.interactions.find(request.uid),
    parts.transactions.insert(
      secrets.state,
      transaction(parts, request, { ...secrets, redirect_uri, flowId }),
      parts.ttlSeconds,
    ),
  ])
  if (!interaction)
    throw new InteractionError('expired', 'the interaction is over', { wayOn: { clientId } })
  const step = nextStep(interaction)
  if (interaction.result) return interaction.returnTo
  checkChoice(parts, interaction, { upstream: upstream.name, clientId })
  if (step.kind === 'answer') return answer(interaction, step.result)
  try {
    const settings = parts.upstreamConfigs[upstream.name] as AnyUpstreamConfig
    const { params } = interaction
    checkReach({ upstream: settings, params }, upstream.name)
    const wishes = contextRequest(settings, params, step)
    const url = await upstream.authorizationUrl({ redirect_uri, ...secrets, ...wishes })
    parts.log.info('login.started', { upstream: upstream.name, client_id: clientId })
    return url.href
  } catch (error) {
    return handleUpstreamError(parts, error, { interaction, upstream: upstream.name, clientId })
  }
}

/** The person gives up after an upstream failed: the app learns `temporarily_unavailable`. */
export async function cancelLogin(parts: LoginParts, request: StartRequest): Promise<Location> {
  const { clientId } = await boundLogin(parts, request)
  const interaction = await parts.interactions.find(request.uid)
  if (!interaction)
    throw new InteractionError('expired', 'the interaction is over', { wayOn: { clientId } })
  parts.log.info('login.cancelled', { upstream: request.upstream, client_id: clientId })
  return answer(interaction, {
    error: 'temporarily_unavailable',
    error_description: 'the identity provider is not available at the moment',
  })
}

export function knownUpstream({ upstreams }: LoginParts, name: string): Upstream {
  const upstream = upstreams.get(name)
  if (!upstream)
    throw new InteractionError('unknown_upstream', `no upstream is called "${name.slice(0, 64)}"`)
  noteFields({ upstream: upstream.name })
  return upstream
}

/** The path names the upstream, so that it could be any other than the one chosen. */
function checkChoice(
  { chooser }: LoginParts,
  { params }: Interaction,
  { upstream, clientId }: { upstream: string; clientId: string },
): void {
  if (chooser.mayStart({ clientId, params }, upstream)) return
  throw new InteractionError('unknown_upstream', `this login may not go to "${upstream}"`, {
    wayOn: { clientId },
  })
}

/** Only the browser that was sent here from the authorization endpoint may go on (A03); another one is shown the way to the app. */
export async function boundLogin(
  parts: Pick<LoginParts, 'binding' | 'interactions'>,
  { uid, cookieHeader }: Omit<StartRequest, 'upstream'>,
  withoutCookies: InteractionErrorCode = 'not_started_here',
): Promise<BoundLogin> {
  const bound = parts.binding.find(uid, cookieHeader)
  if (!bound) {
    const code = cookieHeader === undefined ? withoutCookies : 'not_started_here'
    throw new InteractionError(code, 'this browser holds no cookie of this sign-in', {
      wayOn: { clientId: clientOf(await parts.interactions.find(uid)) },
    })
  }
  noteFields({ client_id: bound.clientId, flow_id: bound.flowId })
  if (bound.isExpired)
    throw new InteractionError('expired', 'the sign-in took longer than login.ttl', {
      wayOn: { clientId: bound.clientId },
    })
  return bound
}

export function clientOf(interaction: Interaction | undefined): string | undefined {
  const clientId = interaction?.params['client_id']
  return typeof clientId === 'string' ? clientId : undefined
}

/** Leaves the answer for oidc-provider, which resumes the authorization request with it. */
export async function answer(
  interaction: Interaction,
  result: NonNullable<Interaction['result']>,
): Promise<Location> {
  interaction.result = result
  await interaction.persist()
  return interaction.returnTo
}

interface FailedAt {
  interaction: Interaction
  upstream: string
  clientId: string
}

/** Logs the cause for the operator; then the app gets an OAuth error, or the person a page with a way on. */
export async function handleUpstreamError(
  parts: LoginParts,
  error: unknown,
  { interaction, upstream, clientId }: FailedAt,
): Promise<Location> {
  if (!(error instanceof UpstreamError)) throw error
  parts.log.warn('login.failed', {
    upstream,
    client_id: clientId,
    code: error.code,
    oauth_error: error.oauthError,
    error,
  })
  const translate = askedContext(interaction.params).isSilent ? silentError : downstreamError
  const downstream = translate(error, currentContext()?.fields['flow_id'])
  if (downstream.kind === 'redirect')
    return answer(interaction, {
      error: downstream.error,
      error_description: downstream.error_description,
    })
  const { uid, params } = interaction
  const hadChoice = parts.chooser.choose({ clientId, params }).kind === 'chooser'
  error.wayOn = {
    clientId,
    retryPath: startPath(upstream, uid),
    choosePath: hadChoice ? chooserPath(uid) : undefined,
    cancelPath: `/oauth2/authorization/${upstream}/cancel?interaction=${uid}`,
  }
  throw error
}

function transaction(
  parts: LoginParts,
  { uid, upstream }: StartRequest,
  secrets: Pick<LoginTransaction, 'nonce' | 'codeVerifier' | 'redirect_uri' | 'flowId'>,
): LoginTransaction {
  const { nonce, codeVerifier, redirect_uri, flowId } = secrets
  return {
    interactionUid: uid,
    upstream,
    nonce,
    codeVerifier,
    redirect_uri,
    flowId,
    createdAt: parts.now(),
  }
}

function secret(): string {
  return randomBytes(SECRET_BYTES).toString('base64url')
}

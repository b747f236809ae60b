// What the trail says of a login by way of the chain.
import type { Request } from 'express'
import type { PendingLogin } from '../login/pending-login.ts'
import { SignInError } from '../relying-party/sign-in-error.ts'
import type { Claims, SignIn } from '../session/session-data.ts'
import type { EndedSession } from '../session/session-links.ts'
import { shortHash } from './hashes.ts'
import type { Trail } from './trail/trail.ts'
import type { TrailEventName } from './trail/trail-events.ts'
import type { TrailFields } from './trail/trail-fields.ts'

export interface ChainEvents {
  started(login: PendingLogin): void
  /** The adapter sent the browser back, with a code or without. */
  returned(login: PendingLogin, code: unknown): void
  finished(login: PendingLogin, signIn: SignIn, code: unknown): void
  failed(login: PendingLogin, error: unknown): void
  /** What the session was of before this login, if it was of any. */
  replaced(
    before: { flowId: string | undefined; subject: string | undefined },
    login: PendingLogin,
  ): void
  /** An answer for no login that is open here; `loginId` is what its `state` names. */
  lost(loginId: string | undefined): void
  sessionNotKept(): void
}

export interface ChainEventsOptions {
  readonly trail: Trail
  readonly clientId: string
  readonly issuer: string
  readonly now: () => number
}

export function createChainEvents(options: ChainEventsOptions): ChainEvents {
  const { trail, clientId, issuer } = options
  const failed = (flowId: string | undefined, fields: TrailFields): void =>
    trail.note({ event: 'login.failed', flowId, fields: { way: 'chain', ...fields } })
  return {
    started: ({ id: flowId, returnTo: path }) =>
      trail.note({
        event: 'login.started',
        flowId,
        fields: { way: 'chain', client_id: clientId, issuer, path },
      }),
    returned({ id: flowId }, code) {
      if (typeof code !== 'string') return
      trail.note({ event: 'login.returned', flowId, fields: { code_hash: shortHash(code) } })
    },
    finished: (login, signIn, code) => noteFinished(options, login, signIn, code),
    failed: ({ id }, error) => failed(id, failureFields(error)),
    replaced({ flowId, subject }, { id }) {
      if (flowId === undefined || subject === undefined || flowId === id) return
      const fields = { way: 'chain', failure: 'replaced' }
      trail.note({ event: 'session.ended', flowId, subject, fields })
    },
    lost: (flowId) =>
      trail.note({
        event: 'login.lost',
        flowId,
        isClaimed: true,
        fields: { failure: 'login_unknown' },
      }),
    sessionNotKept: () => trail.note({ event: 'login.session_not_kept', flowId: undefined }),
  }
}

function noteFinished(
  { trail, issuer, now }: ChainEventsOptions,
  login: PendingLogin,
  signIn: SignIn,
  code: unknown,
): void {
  const common = { flowId: login.id, subject: signIn.subject }
  const fields = { ...tokenFields(signIn, now()), ...codeFields(code) }
  trail.note({ ...common, event: 'login.code_redeemed', fields: { ...fields, issuer } })
  trail.note({
    ...common,
    event: 'login.finished',
    email: textOf(signIn.idTokenClaims, 'email'),
    fields: { ...fields, way: 'chain', duration_ms: now() - login.startedAt },
  })
}

function failureFields(error: unknown): TrailFields {
  const { code: failure = 'unexpected', cause } = error as { code?: string; cause?: unknown }
  const oauth = error instanceof SignInError ? error.oauth : undefined
  const check = (cause as { code?: string } | undefined)?.code
  return { failure, oauth_error: oauth?.error, check }
}

function codeFields(code: unknown): TrailFields {
  return typeof code === 'string' ? { code_hash: shortHash(code) } : {}
}

/** Of the tokens of a session. */
export function tokenFields(
  { idTokenClaims, accessToken, accessTokenExpiresAt: end }: SignIn,
  now: number,
): TrailFields {
  return {
    aud: idTokenClaims['aud'] as string | readonly string[],
    token_hash: shortHash(accessToken),
    ...(end === undefined ? {} : { expires_in_seconds: Math.round((end - now) / 1000) }),
  }
}

function textOf(claims: Claims, name: string): string | undefined {
  const value = claims[name]
  return typeof value === 'string' ? value : undefined
}

/** The login that made the session of a request. */
export function flowOf({ session }: Pick<Request, 'session'>): string | undefined {
  return session.landed?.loginId
}

/** Something else than this browser ended a session; nothing is said where there was none. */
export function noteEnded(
  trail: Trail,
  event: TrailEventName,
  ended: EndedSession | undefined,
): void {
  if (!ended) return
  const { landed, signIn } = ended.session
  trail.note({ event, flowId: landed?.loginId, subject: signIn?.subject })
}

// What the trail says of a login by e-mail address and password.
import type { Principal } from '../../authentication/principal.ts'
import { shortHash } from '../../audit/hashes.ts'
import type { Trail } from '../../audit/trail/trail.ts'

/** A login under way. */
export interface FormLogin {
  readonly flowId: string
  readonly email: string
  /** Epoch milliseconds. */
  readonly startedAt: number
}

export interface LoginEvents {
  started(login: FormLogin): void
  passwordAccepted(login: FormLogin): void
  branchAsked(login: FormLogin, branches: number): void
  branchChosen(login: FormLogin, branch: string): void
  finished(login: FormLogin, principal: Principal): void
  failed(login: FormLogin, failure: string): void
}

export interface LoginEventsOptions {
  readonly trail: Trail
  readonly now: () => number
}

export function createLoginEvents({ trail, now }: LoginEventsOptions): LoginEvents {
  return {
    started: ({ flowId }) =>
      trail.note({ event: 'login.started', flowId, fields: { way: 'form' } }),
    passwordAccepted: ({ flowId }) => trail.note({ event: 'login.password_accepted', flowId }),
    branchAsked: ({ flowId }, branches) =>
      trail.note({ event: 'login.branch_asked', flowId, fields: { branches } }),
    branchChosen: ({ flowId }, branch) =>
      trail.note({ event: 'login.branch_chosen', flowId, fields: { branch } }),
    finished({ flowId, email, startedAt }, { subject, claims, accessToken, expiresAt }) {
      const fields = {
        aud: claims['aud'] as string | readonly string[],
        token_hash: shortHash(accessToken),
        expires_in_seconds: Math.round((expiresAt - now()) / 1000),
      }
      trail.note({ event: 'login.token_exchanged', flowId, subject, fields })
      trail.note({
        event: 'login.finished',
        flowId,
        subject,
        email,
        fields: { ...fields, way: 'form', duration_ms: now() - startedAt },
      })
    },
    failed: ({ flowId, email }, failure) =>
      trail.note({ event: 'login.failed', flowId, email, fields: { way: 'form', failure } }),
  }
}

// What a client is told of an exchange that is refused: OAuth's word and a sentence without particulars. The reason is for the
// log.
import { errors } from 'oidc-provider'

type Refusal = new (description: string, ...more: unknown[]) => Error

const { InvalidRequest, InvalidScope, InvalidTarget } = errors as unknown as Record<
  'InvalidRequest' | 'InvalidScope' | 'InvalidTarget',
  Refusal
>

/** A request that nobody could grant. `description` is told. */
export function refused(description: string): Error {
  return new InvalidRequest(description)
}

/** https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2: "invalid for any reason, or ... unacceptable based on policy" */
export function invalidSubject(reason: string): Error {
  return new InvalidRequest('subject_token can not be exchanged', undefined, { detail: reason })
}

/** https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2 */
export function invalidTarget(reason: string): Error {
  return new InvalidTarget('the client may not have a token for this target', { detail: reason })
}

export function invalidScope(reason: string): Error {
  return new InvalidScope('the client may not have this scope', undefined, { detail: reason })
}

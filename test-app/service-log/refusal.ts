// Why a service is not believed, in words that it may read, as RFC 6750 has them answered.
import type { Response } from 'express'
import { currentRequestId } from '../../service/request-ids.ts'

/** What is wrong with a token, and the sentence about it. None holds a quotation mark, nor what was sent. */
const SENTENCES = {
  malformed: 'the token is no JWT that can be read here',
  issuer: 'the token is from an issuer that is not known here',
  algorithm: 'the token is not signed by the algorithm of its issuer',
  type: 'the token is no access token',
  signature: 'the token is not signed by a key of its issuer, or changed since',
  expired: 'the token is expired',
  not_yet_valid: 'the token is made ahead of our clock',
  audience: 'the token is meant for another service',
  lifetime: 'the token is good for more than five minutes',
  claims: 'the token is without a claim that is needed, or with one that can not be',
  subject: 'the token is of a person; expected one of a service (client_credentials)',
  replayed: 'the token was used before; expected a new one for each request',
} as const

export type Reason = keyof typeof SENTENCES

/** A token that does not count. */
export class RefusedToken extends Error {
  override readonly name = 'RefusedToken'
  readonly code = 'token_refused'
  readonly reason: Reason
  constructor(reason: Reason) {
    super(SENTENCES[reason])
    this.reason = reason
  }
}

/** A request that is not served; `code` is for programs. */
export interface Fault {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly fields?: readonly { readonly field: string; readonly message: string }[]
}

export class RequestFault extends Error {
  override readonly name = 'RequestFault'
  readonly code = 'request_refused'
  readonly fault: Fault
  constructor(fault: Fault) {
    super(fault.message)
    this.fault = fault
  }
}

export function answerFault(res: Response, { status, ...fault }: Fault): void {
  res.status(status).json({ success: false, ...fault, request_id: currentRequestId() })
}

/** 401 with the challenge; no error in it when nothing was presented: https://www.rfc-editor.org/rfc/rfc6750#section-3.1 */
export function challenge(res: Response, realm: string, reason?: Reason): void {
  const basis = `Bearer realm="${realm}"`
  if (reason === undefined) {
    res.set('WWW-Authenticate', basis)
    const message = 'Authorization: expected a Bearer token'
    return answerFault(res, { status: 401, code: 'TOKEN_MISSING', message })
  }
  const said = SENTENCES[reason]
  res.set('WWW-Authenticate', `${basis}, error="invalid_token", error_description="${said}"`)
  answerFault(res, { status: 401, code: 'TOKEN_INVALID', message: said })
}

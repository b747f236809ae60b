import { describe, expect, it } from 'vitest'
import { UpstreamError, type UpstreamErrorCode } from '../errors.ts'
import { downstreamError } from './downstream-error.ts'

const failure = (code: UpstreamErrorCode, oauthError?: string) =>
  new UpstreamError(code, 'up', 'the words of the upstream', { oauthError })

describe('what an app is told of an upstream’s failure (design.md §6)', () => {
  const TABLE: [code: UpstreamErrorCode, oauthError: string | undefined, told: string][] = [
    ['authorization_error', 'access_denied', 'access_denied'],
    ['authorization_error', 'login_required', 'login_required'],
    ['authorization_error', 'interaction_required', 'interaction_required'],
    ['authorization_error', 'temporarily_unavailable', 'temporarily_unavailable'],
    ['authorization_error', 'consent_required', 'server_error'],
    ['authorization_error', 'server_error', 'server_error'],
    ['authorization_error', 'invalid_request', 'server_error'],
    ['authorization_error', 'constructor', 'server_error'],
    ['authorization_error', 'ACCESS_DENIED', 'server_error'],
    ['authorization_error', undefined, 'server_error'],
    ['client_rejected', undefined, 'server_error'],
    ['identity_invalid', undefined, 'server_error'],
    ['issuer_mismatch', undefined, 'server_error'],
    ['metadata_invalid', undefined, 'server_error'],
    ['identity_invalid', 'access_denied', 'server_error'],
  ]
  it.each(TABLE)('%s %s: %s', (code, oauthError, told) => {
    const downstream = downstreamError(failure(code, oauthError), 'flow-1')
    expect(downstream).toEqual({
      kind: 'redirect',
      error: told,
      error_description: expect.stringMatching(/^[a-z -]+ \(flow flow-1\)$/) as unknown,
    })
  })

  it.each(['unavailable', 'code_rejected'] as const)(
    '%s: a page, so that the person can try again',
    (code) => {
      expect(downstreamError(failure(code), 'flow-1')).toEqual({ kind: 'page' })
    },
  )

  it('without a flow id the description has none', () => {
    expect(
      downstreamError(failure('authorization_error', 'access_denied'), undefined),
    ).toMatchObject({
      error_description: 'the end-user or the identity provider refused the sign-in',
    })
  })

  // https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1
  it('descriptions hold only characters that RFC 6749 allows, and none of the upstream’s words', () => {
    for (const [code, oauthError] of TABLE) {
      const downstream = downstreamError(failure(code, oauthError), 'a-b_C1')
      if (downstream.kind !== 'redirect') continue
      expect(downstream.error_description).toMatch(/^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/)
      expect(downstream.error_description).not.toContain('the words of the upstream')
    }
  })
})

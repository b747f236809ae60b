// What /verify, /test-token and /token take and answer.
import { z } from 'zod'
import { jwt } from '../identity/api/schemas.ts'
import type { Verdict } from './verify/judge-token.ts'

const time = z.iso.datetime()
const audience = z.string().min(1).meta({ example: 'logging-backend' })

export const verifyBody = z.strictObject({
  token: z.string().min(1).describe('An ID token or an access token, alone.'),
  audience: audience.describe('What the service that asks is called.'),
})

const invalid = { valid: z.literal(false), message: z.string().describe('What to do.') }
const fault = <const Errors extends readonly [string, ...string[]], More extends z.ZodRawShape>(
  errors: Errors,
  more: More,
) => z.strictObject({ ...invalid, error: z.enum(errors), ...more })

export const verdict = z.union([
  z.strictObject({ valid: z.literal(true), claims: z.record(z.string(), z.unknown()) }),
  fault(['malformed', 'signature', 'subject', 'session_ended'], {}),
  fault(['issuer', 'type'], { expected: z.string() }),
  fault(['expired'], { since: time }),
  fault(['not_yet_valid'], { until: time }),
  fault(['audience'], { expected: z.string(), found: z.array(z.string()) }),
]) satisfies z.ZodType<Verdict>

export const testTokenQuery = z.strictObject({
  sub: z.string().optional().describe('The person; default: testuser.'),
  aud: audience.optional().describe('A client or a service; default: the first client.'),
})

const lifetime = z.int().positive().describe('Seconds.')
const tokenType = z.literal('Bearer')

export const testToken = z.strictObject({ token: jwt, token_type: tokenType, expires_in: lifetime })

const client = {
  client_id: z.string().optional().describe('Or as the user of HTTP Basic.'),
  client_secret: z.string().optional(),
}

export const tokenBody = z.union([
  z.object({
    grant_type: z.literal('client_credentials'),
    aud: audience.optional().describe('The service to speak to; or audience.'),
    audience: audience.optional(),
    ...client,
  }),
  z.object({
    grant_type: z.literal('authorization_code').optional(),
    code: z.string(),
    redirect_uri: z.string(),
    code_verifier: z.string().optional().describe('Where there was a challenge.'),
    ...client,
  }),
  z.object({
    grant_type: z.literal('refresh_token'),
    refresh_token: z.string(),
    scope: z.string().optional(),
    ...client,
  }),
])

export const tokenAnswer = z.union([
  z.strictObject({ access_token: jwt, token_type: tokenType, expires_in: lifetime }),
  z.strictObject({
    access_token: z.string(),
    token_type: tokenType,
    expires_in: lifetime,
    id_token: jwt.optional(),
    refresh_token: z.string().optional(),
    scope: z.string(),
  }),
])

/** https://www.rfc-editor.org/rfc/rfc6749.html#section-5.2 */
export const oauthError = z.strictObject({
  error: z.string(),
  error_description: z.string().optional(),
  scope: z.string().optional().describe('What was asked for, with invalid_scope.'),
})

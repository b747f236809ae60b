// The operations of the identity service. The tests hold each real answer against them.
import type { ErrorCode } from '../identity/api/identity-error.ts'
import { answers, bodies } from '../identity/api/schemas.ts'
import { errorAnswers, json } from './operation.ts'
import type { Operation, OperationAnswer, Operations, SchemeName } from './operation.ts'

const ofBodies: readonly ErrorCode[] = [
  'MALFORMED_JSON',
  'VALIDATION_ERROR',
  'UNSUPPORTED_MEDIA_TYPE',
  'PAYLOAD_TOO_LARGE',
]
const ofPasswords: readonly ErrorCode[] = [
  'INVALID_CREDENTIALS',
  'ACCOUNT_LOCKED',
  'ACCOUNT_DISABLED',
  'JWT_KEY_NOT_CONFIGURED',
]
const ofPlaces: readonly ErrorCode[] = [
  'WORKSPACE_DISABLED',
  'MEMBER_DISABLED',
  'BRANCH_CONTEXT_REQUIRED',
]
/** What somebody who is signed in already may have lost. */
const ofStanding: readonly ErrorCode[] = [
  'INVALID_TOKEN',
  'ACCOUNT_LOCKED',
  'ACCOUNT_DISABLED',
  ...ofPlaces,
  'BRANCH_NOT_ALLOWED',
]

const tag = 'Identity service'
const cookie = { headers: ['RefreshCookie'] } as const

const done = (
  description: string,
  name: keyof typeof answers,
  more: Partial<OperationAnswer> = {},
): OperationAnswer => ({ status: 200, description, schema: answers[name], ...more })

const ofAll: readonly ErrorCode[] = [
  'INVALID_REQUEST',
  'URI_TOO_LONG',
  'MISDIRECTED_HOST',
  'INTERNAL_ERROR',
]

const withErrors = (answer: OperationAnswer, ...codes: readonly ErrorCode[]) => [
  answer,
  ...errorAnswers([...codes, ...ofAll]),
]

const taking = (name: keyof typeof bodies) => ({ body: { schema: bodies[name], types: [json] } })

const login: Operation = {
  tag,
  id: 'login',
  summary: 'Sign in with e-mail address and password',
  description:
    'Ten wrong passwords within fifteen minutes lock the pair of e-mail address and network address.',
  ...taking('login'),
  answers: withErrors(
    done('A token for the one branch, or one for choosing a branch.', 'login', cookie),
    ...ofBodies,
    ...ofPasswords,
    ...ofPlaces,
    'SYSTEM_ACCOUNT',
  ),
}

const systemLogin: Operation = {
  tag,
  id: 'systemLogin',
  summary: 'Sign in as a program',
  ...taking('login'),
  answers: withErrors(
    done('A token without refresh token and branch.', 'systemLogin'),
    ...ofBodies,
    ...ofPasswords,
    'NOT_A_SYSTEM_ACCOUNT',
  ),
}

const selectBranch: Operation = {
  tag,
  id: 'selectBranch',
  summary: 'Choose a branch, once for a session',
  credentials: ['accessToken'],
  ...taking('selectBranch'),
  answers: withErrors(
    done('A token for the branch.', 'selectBranch', cookie),
    ...ofBodies,
    ...ofStanding,
    'INVALID_REFRESH_TOKEN',
    'BRANCH_ALREADY_SELECTED',
    'JWT_KEY_NOT_CONFIGURED',
  ),
}

const anyToken = (...also: readonly SchemeName[]): { credentials: readonly SchemeName[] } => ({
  credentials: ['refreshCookie', ...also],
})

const refresh: Operation = {
  tag,
  id: 'refresh',
  summary: 'Get new tokens for a refresh token',
  description: 'Each refresh token is good once. One that comes back ends the session.',
  ...anyToken(),
  ...taking('refresh'),
  answers: withErrors(
    done('Tokens as at the sign-in.', 'refresh', cookie),
    ...ofBodies,
    ...ofStanding,
    'INVALID_REFRESH_TOKEN',
    'JWT_KEY_NOT_CONFIGURED',
  ),
}

const logout: Operation = {
  tag,
  id: 'logout',
  summary: 'End the session',
  ...anyToken('accessToken'),
  ...taking('logout'),
  answers: withErrors(
    done('The session is over, now or since before.', 'logout', cookie),
    ...ofBodies,
    'INVALID_TOKEN',
    'INVALID_REFRESH_TOKEN',
  ),
}

const context: Operation = {
  tag,
  id: 'currentContext',
  summary: 'Who it is, in which workspace and branch, and until when',
  credentials: ['accessToken'],
  answers: withErrors(done('As it is now, whatever the token says.', 'context'), ...ofStanding),
}

export const identityOperations: Operations = {
  'POST /api/auth/login': login,
  'POST /api/auth/system/login': systemLogin,
  'POST /api/auth/select-branch': selectBranch,
  'POST /api/auth/refresh': refresh,
  'POST /api/auth/logout': logout,
  'GET /api/auth/context': context,
}

// The bodies that the API takes and the answers it gives.
import { z } from 'zod'
import { errorKinds } from './identity-error.ts'

const email = z
  .string()
  .max(254)
  .regex(/^[^\s@]{1,64}@[^\s@]+$/u, 'expected an e-mail address')
  .meta({ example: 'single@example.test' })
const password = z.string().min(1).max(1024)
const id = z.string().min(1).max(64)
const token = z.string().min(1).max(4096)

export const bodies = {
  login: z.strictObject({ email: email.describe('Compared without regard to case.'), password }),
  selectBranch: z.strictObject({ branchId: id }),
  refresh: z.strictObject({ refreshToken: token.optional().describe('Default: the cookie.') }),
  logout: z.strictObject({ refreshToken: token.optional().describe('Default: the cookie.') }),
}

const roles = z.array(z.string())
const active = z.literal('ACTIVE')
const account = z
  .strictObject({
    id,
    email,
    kind: z.enum(['CUSTOMER', 'SYSTEM']),
    status: active,
    lastLoginAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Account' })
const workspace = z.strictObject({ id, name: z.string(), status: active }).meta({ id: 'Workspace' })
const member = z.strictObject({ id, status: active, roles }).meta({ id: 'Member' })
const branch = z
  .strictObject({ id, workspaceId: id, name: z.string(), roles })
  .meta({ id: 'Branch' })

// z.jwt() knows no other `typ` than JWT.
export const jwt = z.string().regex(/^[\w-]+\.[\w-]+\.[\w-]+$/)
const tokenType = z.literal('Bearer')
const seconds = z.int().positive()
const branchAuth = z
  .strictObject({
    tokenType,
    accessToken: jwt,
    refreshToken: token,
    expiresIn: seconds,
    refreshExpiresIn: seconds,
  })
  .meta({ id: 'BranchAuth' })
const accountAuth = z
  .strictObject({
    tokenType,
    accountAccessToken: jwt,
    refreshToken: token,
  })
  .meta({ id: 'AccountAuth' })
const systemAuth = z.strictObject({ tokenType, systemAccessToken: jwt, expiresIn: seconds })

const inBranch = z
  .strictObject({
    account,
    workspace,
    member,
    branches: z.array(branch).length(1),
    auth: branchAuth,
    nextAction: z.strictObject({ type: z.literal('load_current_context') }),
  })
  .meta({ id: 'InBranch' })
const choosing = z
  .strictObject({
    branches: z.array(branch).min(2),
    auth: accountAuth,
    nextAction: z.strictObject({
      type: z.literal('select_branch'),
      redirectTo: z.literal('/select-branch'),
    }),
  })
  .meta({ id: 'ChoosingABranch' })

const success = <Code extends string, Data extends z.ZodType>(code: Code, data: Data) =>
  z.strictObject({ success: z.literal(true), code: z.literal(code), data })

export const answers = {
  login: success('AUTH_LOGIN_SUCCESS', z.union([inBranch, choosing])),
  systemLogin: success('AUTH_SYSTEM_LOGIN_SUCCESS', z.strictObject({ account, auth: systemAuth })),
  selectBranch: success('AUTH_SELECT_BRANCH_SUCCESS', inBranch),
  refresh: success(
    'AUTH_REFRESH_SUCCESS',
    z.strictObject({ auth: z.union([branchAuth, accountAuth]) }),
  ),
  logout: success('AUTH_LOGOUT_SUCCESS', z.strictObject({})),
  context: success(
    'AUTH_CONTEXT_SUCCESS',
    z.strictObject({
      account,
      workspace,
      member,
      branch,
      session: z.strictObject({ id, expiresAt: z.iso.datetime() }),
    }),
  ),
}

const fieldFaults = z
  .array(z.strictObject({ field: z.string(), message: z.string() }))
  .describe('With VALIDATION_ERROR.')

/** Of an operation that says no with these codes only. */
export const errorAnswerWith = (codes: readonly string[]) =>
  z.strictObject({
    success: z.literal(false),
    code: z.enum(codes as [string, ...string[]]),
    message: z.string(),
    request_id: z.string().describe('As in the header X-Request-Id, and in each line of the log.'),
    ...(codes.includes('VALIDATION_ERROR') && { fields: fieldFaults.optional() }),
  })

export const errorAnswer = errorAnswerWith(Object.keys(errorKinds))

export type LoginBody = z.infer<typeof bodies.login>
export type Branch = z.infer<typeof branch>
export type InBranch = z.infer<typeof inBranch>
export type Choosing = z.infer<typeof choosing>
export type SystemLogin = z.infer<typeof answers.systemLogin>['data']
export type Refreshed = z.infer<typeof answers.refresh>['data']
export type Context = z.infer<typeof answers.context>['data']
export type SuccessCode = {
  [Name in keyof typeof answers]: z.infer<(typeof answers)[Name]>['code']
}[keyof typeof answers]

// The identity service as this app itself uses it, over what the gateway forwards with.
import { z } from 'zod'
import type { Forward, IdentityAnswer, IdentityRequest } from './forward.ts'
import { IDENTITY_PATHS } from './identity-paths.ts'
import { IdentityServiceError } from './identity-service.ts'
import type { AccountLogin, BranchLogin, IdentityService } from './identity-service.ts'

const text = z.string().min(1)
const branchAuth = z.object({
  accessToken: text,
  refreshToken: text,
  refreshExpiresIn: z.int().positive(),
})
const branch = z.object({
  id: text,
  workspaceId: text,
  name: z.string(),
  roles: z.array(z.string()),
})
const inBranch = z.object({ data: z.object({ auth: branchAuth }) })
const choosing = z.object({
  data: z.object({
    auth: z.object({ accountAccessToken: text, refreshToken: text }),
    branches: z.array(branch),
  }),
})
const accountAuth = z.object({
  data: z.object({ auth: z.object({ accountAccessToken: text }) }),
})
const refusal = z.object({
  code: z.string().regex(/^[A-Z][A-Z_]{1,63}$/),
  message: z.string().max(500),
  fields: z
    .array(z.object({ field: z.string(), message: z.string() }))
    .max(50)
    .optional(),
})

export function createIdentityService(forward: Forward): IdentityService {
  const send = (path: string, body: object, more: Partial<IdentityRequest> = {}) =>
    ask(forward, {
      method: 'POST',
      path,
      ...more,
      headers: { 'content-type': 'application/json', ...more.headers },
      body: JSON.stringify(body),
    })
  return {
    login: async (email, password, address) =>
      loginFrom(await send(IDENTITY_PATHS.login, { email, password }, { address })),
    async selectBranch(accountAccessToken, branchId) {
      const headers = { authorization: `Bearer ${accountAccessToken}` }
      return branchFrom(await send(IDENTITY_PATHS.selectBranch, { branchId }, { headers }))
    },
    refresh: async (refreshToken) =>
      branchFrom(await send(IDENTITY_PATHS.refresh, { refreshToken })),
    logout: async (refreshToken) => void (await send(IDENTITY_PATHS.logout, { refreshToken })),
  }
}

/** The body of a good answer. */
async function ask(forward: Forward, request: IdentityRequest): Promise<unknown> {
  const answer = await forward(request)
  const body = jsonOf(answer)
  if (answer.status === 200) return body
  throw refusalFrom(answer, body)
}

function refusalFrom({ status, headers }: IdentityAnswer, body: unknown): IdentityServiceError {
  const read = refusal.safeParse(body)
  if (!read.success || status < 400) return notUnderstood()
  const { code, message, fields = [] } = read.data
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const retryAfterSeconds = Number.isSafeInteger(seconds) && seconds >= 0 ? seconds : undefined
  return new IdentityServiceError(code, message, { status, fields, retryAfterSeconds })
}

function jsonOf({ text: body }: IdentityAnswer): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw notUnderstood()
  }
}

function notUnderstood(): IdentityServiceError {
  const message = 'The identity service answered with something else.'
  return new IdentityServiceError('IDENTITY_UNAVAILABLE', message, { status: 502 })
}

function loginFrom(body: unknown): BranchLogin | AccountLogin {
  const read = choosing.safeParse(body)
  if (!read.success) return branchFrom(body)
  const { auth, branches } = read.data.data
  return { kind: 'account', ...auth, branches }
}

function branchFrom(body: unknown): BranchLogin {
  const read = inBranch.safeParse(body)
  if (read.success) {
    const { accessToken, refreshToken, refreshExpiresIn } = read.data.data.auth
    const refreshExpiresInSeconds = refreshExpiresIn
    return { kind: 'branch', accessToken, refreshToken, refreshExpiresInSeconds }
  }
  if (!accountAuth.safeParse(body).success) throw notUnderstood()
  const message = 'No branch is chosen in this session.'
  throw new IdentityServiceError('BRANCH_CONTEXT_REQUIRED', message, { status: 403 })
}

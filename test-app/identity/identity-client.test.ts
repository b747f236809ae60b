// The identity service as this app uses it, over the real one.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { useChain } from '../../adapter/test-support/use-chain.ts'
import { createLog } from '../../service/log.ts'
import { createForward } from './forward.ts'
import { createIdentityService } from './identity-client.ts'
import type { AccountLogin, BranchLogin } from './identity-service.ts'

const on = useChain({ upstreamTrusts: ['127.0.0.1'] })
const ADDRESS = '203.0.113.20'

const serviceAt = (identityUrl: string) =>
  createIdentityService(
    createForward({ identityUrl, log: createLog({ destination: { write: () => undefined } }) }),
  )
const service = () => serviceAt(on.chain.upstreamIssuer)
const logIn = (name: string, password = 'password', address = ADDRESS) =>
  service().login(`${name}@example.test`, password, address)

describe('a login', () => {
  it('into the one branch of a person gives its tokens', async () => {
    expect(await logIn('single')).toEqual({
      kind: 'branch',
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refreshToken: expect.any(String),
      refreshExpiresInSeconds: 604_800,
    })
  })

  it('of who is in several gives the branches, and one of them with its token', async () => {
    const login = (await logIn('multi')) as AccountLogin
    expect(login.kind).toBe('account')
    expect(login.branches).toHaveLength(3)
    expect(login.branches[0]).toEqual({
      id: expect.any(String),
      workspaceId: expect.any(String),
      name: expect.any(String),
      roles: expect.any(Array),
    })
    const chosen = await service().selectBranch(
      login.accountAccessToken,
      login.branches[0]?.id ?? '',
    )
    expect(chosen.kind).toBe('branch')
    await expect(
      service().selectBranch(login.accountAccessToken, login.branches[0]?.id ?? ''),
    ).rejects.toMatchObject({ code: 'BRANCH_ALREADY_SELECTED', status: 409 })
  })

  it.each([
    ['single', 'wrong', 'INVALID_CREDENTIALS', 401],
    ['locked', 'password', 'ACCOUNT_LOCKED', 423],
    ['disabled', 'password', 'ACCOUNT_DISABLED', 403],
    ['workspace-disabled', 'password', 'WORKSPACE_DISABLED', 403],
    ['member-disabled', 'password', 'MEMBER_DISABLED', 403],
    ['no-branch', 'password', 'BRANCH_CONTEXT_REQUIRED', 403],
    ['system', 'password', 'SYSTEM_ACCOUNT', 403],
  ])('of %s with %s is refused as %s', async (name, password, code, status) => {
    await expect(logIn(name, password)).rejects.toMatchObject({
      name: 'IdentityServiceError',
      code,
      status,
      fields: [],
    })
  })

  it('names the fields at fault', async () => {
    await expect(service().login('nobody', '', ADDRESS)).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      status: 400,
      fields: [{ field: 'email' }, { field: 'password' }],
    })
  })

  it('is locked out by address, and says for how long', async () => {
    for (let count = 0; count < 10; count += 1)
      await logIn('single', 'wrong', '203.0.113.30').catch(() => undefined)
    const locked = logIn('single', 'password', '203.0.113.30')
    await expect(locked).rejects.toMatchObject({ code: 'ACCOUNT_LOCKED', status: 423 })
    const { retryAfterSeconds } = (await locked.catch(
      (error: { retryAfterSeconds: number }) => error,
    )) as { retryAfterSeconds: number }
    expect(retryAfterSeconds).toBeGreaterThan(840)
    expect(retryAfterSeconds).toBeLessThanOrEqual(900)
    expect((await logIn('single')).kind).toBe('branch')
  })
})

describe('a session', () => {
  it('is refreshed with a new token each time, and a used one ends it', async () => {
    const first = (await logIn('single')) as BranchLogin
    const second = await service().refresh(first.refreshToken)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second.refreshExpiresInSeconds).toBeLessThanOrEqual(604_800)
    const used = { code: 'INVALID_REFRESH_TOKEN', status: 401 }
    await expect(service().refresh(first.refreshToken)).rejects.toMatchObject(used)
    await expect(service().refresh(second.refreshToken)).rejects.toMatchObject(used)
  })

  it('ends with logout, which may be asked for again', async () => {
    const { refreshToken } = await logIn('single')
    await service().logout(refreshToken)
    await expect(service().refresh(refreshToken)).rejects.toMatchObject({ status: 401 })
    await expect(service().logout(refreshToken)).resolves.toBeUndefined()
  })

  it('in which no branch is chosen is good for nothing here', async () => {
    const { refreshToken } = await logIn('multi')
    await expect(service().refresh(refreshToken)).rejects.toMatchObject({
      code: 'BRANCH_CONTEXT_REQUIRED',
      status: 403,
    })
  })
})

describe('an answer that is none', () => {
  const nonsense: [string, number, string][] = [
    ['of another shape', 200, '{"success":true,"data":{"auth":{}}}'],
    ['without JSON', 200, 'hello'],
    ['that is empty', 200, ''],
    ['of a proxy', 503, '<html>down</html>'],
    ['with an error of another shape', 400, '{"error":"invalid_request"}'],
    ['with a code that is markup', 400, '{"code":"<b>","message":"x"}'],
  ]
  it.each(nonsense)('%s is as no answer', async (_name, status, body) => {
    const server = createServer((_req, res) => void res.writeHead(status).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    await expect(serviceAt(url).login('a@b', 'c', ADDRESS)).rejects.toMatchObject({
      code: 'IDENTITY_UNAVAILABLE',
      status: 502,
    })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
})

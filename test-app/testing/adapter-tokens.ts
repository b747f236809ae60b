// Tokens of the real adapter and identity service, asked for as this app does, for tests that bring them.
import type { WholeChain } from './whole-chain.ts'

type Json = Record<string, unknown>

async function post(
  url: string,
  body: string | URLSearchParams,
  headers: Record<string, string>,
): Promise<Json> {
  const answer = await fetch(url, { method: 'POST', body, headers })
  const json = (await answer.json()) as Json
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${JSON.stringify(json)}`)
  return json
}

const basic = (id: string, secret: string) =>
  `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

export interface BranchTokens {
  readonly accessToken: string
  readonly refreshToken: string
}

/** Of somebody who is in one branch. */
export async function branchTokensOf(whole: WholeChain, name = 'single'): Promise<BranchTokens> {
  const body = JSON.stringify({ email: `${name}@example.test`, password: 'password' })
  const headers = { 'content-type': 'application/json' }
  const { data } = await post(`${whole.identityUrl}/api/auth/login`, body, headers)
  return (data as { auth: BranchTokens }).auth
}

/** An access token of the adapter for this app, or for what `resource` names. */
export async function adapterToken(
  whole: WholeChain,
  { resource, name }: { resource?: string; name?: string } = {},
): Promise<string> {
  const { accessToken } = await branchTokensOf(whole, name)
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token: accessToken,
    ...(resource === undefined ? {} : { resource }),
  })
  const headers = { authorization: basic('client', 'secret') }
  return String((await post(`${whole.issuer}/oauth2/token`, body, headers))['access_token'])
}

/** A token of the client that speaks for nobody. */
export async function workerToken(whole: WholeChain): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    resource: 'urn:logging-backend',
    scope: 'log:write',
  })
  const headers = { authorization: basic('worker', 'worker-secret') }
  return String((await post(`${whole.issuer}/oauth2/token`, body, headers))['access_token'])
}

/** RFC 7662, as this app may ask. */
export async function isActive(whole: WholeChain, token: string): Promise<boolean> {
  const body = new URLSearchParams({ token })
  const headers = { authorization: basic('client', 'secret') }
  return (await post(`${whole.issuer}/oauth2/introspect`, body, headers))['active'] === true
}

/** RFC 7009. */
export async function revoke(whole: WholeChain, token: string): Promise<void> {
  await fetch(`${whole.issuer}/oauth2/revoke`, {
    method: 'POST',
    body: new URLSearchParams({ token }),
    headers: { authorization: basic('client', 'secret') },
  })
}

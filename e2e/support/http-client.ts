// An app that speaks plain HTTP: authorization requests as the demo's client, and codes redeemed for tokens.
import { createHash, randomBytes } from 'node:crypto'
import type { Chain } from './processes.ts'

export interface AuthorizationRequest {
  url: URL
  state: string
  nonce: string
  codeVerifier: string
}

export interface Tokens {
  access_token: string
  id_token: string
  refresh_token?: string
}

const CLIENT = { id: 'client', secret: 'secret' }
const SECRET_BYTES = 32

const redirectUri = ({ appUrl }: Pick<Chain, 'appUrl'>) =>
  `${appUrl}/login/oauth2/code/auth-adapter`

/** `extra` parameters go on top. */
export function authorizationRequest(
  chain: Pick<Chain, 'appUrl' | 'adapterUrl'>,
  extra: Readonly<Record<string, string>> = {},
): AuthorizationRequest {
  const [state, nonce, codeVerifier] = Array.from({ length: 3 }, () =>
    randomBytes(SECRET_BYTES).toString('base64url'),
  ) as [string, string, string]
  const parameters = {
    client_id: CLIENT.id,
    redirect_uri: redirectUri(chain),
    response_type: 'code',
    scope: 'openid profile read',
    state,
    nonce,
    code_challenge: createHash('sha256').update(codeVerifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...extra,
  }
  return {
    url: new URL(
      `/oauth2/authorize?${new URLSearchParams(parameters).toString()}`,
      chain.adapterUrl,
    ),
    state,
    nonce,
    codeVerifier,
  }
}

/** Redeems the code of the app's callback address. Rejects when the adapter refuses it. */
export async function redeemCode(
  chain: Pick<Chain, 'appUrl' | 'adapterUrl'>,
  callback: URL,
  { state, codeVerifier }: AuthorizationRequest,
  send?: typeof fetch,
): Promise<Tokens> {
  if (callback.searchParams.get('state') !== state)
    throw new Error('The answer has another state than the request')
  const body = {
    grant_type: 'authorization_code',
    code: callback.searchParams.get('code') ?? '',
    redirect_uri: redirectUri(chain),
    code_verifier: codeVerifier,
  }
  return askForTokens(chain, body, send)
}

/** Uses a refresh token. Rejects when the adapter refuses it. */
export function refreshTokens(
  chain: Pick<Chain, 'adapterUrl'>,
  refreshToken: string,
  send?: typeof fetch,
): Promise<Tokens> {
  return askForTokens(chain, { grant_type: 'refresh_token', refresh_token: refreshToken }, send)
}

async function askForTokens(
  { adapterUrl }: Pick<Chain, 'adapterUrl'>,
  body: Readonly<Record<string, string>>,
  send: typeof fetch = fetch,
): Promise<Tokens> {
  const headers = {
    authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`,
  }
  const response = await send(`${adapterUrl}/oauth2/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(body),
  })
  if (response.ok) return (await response.json()) as Tokens
  const { error } = (await response.json()) as { error: string }
  throw new Error(`The token endpoint answered ${response.status} ${error}`)
}

// An app for tests: makes authorization requests with state, nonce and PKCE, and redeems codes with plain fetch. It
// judges nothing; the tests do.
import { createHash, randomBytes } from 'node:crypto'
import type { Visit } from './browser.ts'

export type Parameters = Readonly<Record<string, string | undefined>>

export interface AuthorizationRequest {
  url: URL
  state: string
  nonce: string
  verifier: string
}

export interface TokenAnswer {
  status: number
  headers: Headers
  body: Record<string, unknown> & { access_token: string; id_token: string }
}

export interface RedeemOptions {
  verifier?: string | undefined
  redirectUri?: string | undefined
  /** Another client's. */
  credentials?: { clientId: string; secret: string }
  /** Further fields of the form. */
  form?: Parameters
}

export interface App {
  readonly clientId: string
  readonly secret: string
  readonly redirectUri: string
  /** A parameter given as undefined is left out. */
  request(parameters?: Parameters): AuthorizationRequest
  redeem(code: string, options?: RedeemOptions): Promise<TokenAnswer>
  /** Redeems the code that a visit brought back. */
  finish(visit: Pick<Visit, 'url'>, request: AuthorizationRequest): Promise<TokenAnswer>
  userinfo(accessToken: string, init?: RequestInit): Promise<Response>
}

export interface AppOptions {
  issuer: string
  clientId: string
  secret: string
  redirectUri: string
}

const random = () => randomBytes(32).toString('base64url')

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url')
}

export function basic(clientId: string, secret: string): string {
  return `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`
}

function defined(parameters: Parameters): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

export function createApp({ issuer, clientId, secret, redirectUri }: AppOptions): App {
  function request(parameters: Parameters = {}): AuthorizationRequest {
    const [state, nonce, verifier] = [random(), random(), random()] as [string, string, string]
    const all: Parameters = {
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid profile read',
      code_challenge: challengeOf(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      ...parameters,
    }
    const url = new URL('/oauth2/authorize', issuer)
    url.search = new URLSearchParams(defined(all)).toString()
    return { url, state: all['state'] ?? '', nonce: all['nonce'] ?? '', verifier }
  }

  async function redeem(code: string, options: RedeemOptions = {}): Promise<TokenAnswer> {
    const credentials = options.credentials ?? { clientId, secret }
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: options.verifier,
      ...options.form,
    }
    const response = await fetch(new URL('/oauth2/token', issuer), {
      method: 'POST',
      headers: { authorization: basic(credentials.clientId, credentials.secret) },
      body: new URLSearchParams(
        defined({
          ...form,
          ...('redirectUri' in options ? { redirect_uri: options.redirectUri } : {}),
        }),
      ),
    })
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as TokenAnswer['body'],
    }
  }

  return {
    clientId,
    secret,
    redirectUri,
    request,
    redeem,
    finish: ({ url }, { verifier }) => redeem(url.searchParams.get('code') ?? '', { verifier }),
    userinfo: (accessToken, init = {}) =>
      fetch(new URL('/userinfo', issuer), {
        ...init,
        headers: { authorization: `Bearer ${accessToken}`, ...init.headers },
      }),
  }
}

/** A part of a JWT, unverified. */
function partOf(jwt: string, index: number): Record<string, unknown> {
  return JSON.parse(Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString()) as Record<
    string,
    unknown
  >
}

export const headerOf = (jwt: string) => partOf(jwt, 0)
export const claimsOf = (jwt: string) => partOf(jwt, 1)

// Calls to the token endpoints, as clients make them. Test code only.
import { importJWK, SignJWT, type JWK } from 'jose'
import { basic, claimsOf, headerOf, type TokenAnswer } from '../../../test-support/app.ts'
import type { Browser } from '../../../test-support/browser.ts'
import type { Chain } from '../../../test-support/chain.ts'

export type Form = Record<string, string> | [string, string][]

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** {} where the answer is not JSON. */
  body: Record<string, unknown>
}

export const CLIENT: readonly [string, string] = ['client', 'secret']
export const SECOND: readonly [string, string] = ['second-client', 'second-secret']

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? (JSON.parse(text) as Record<string, unknown>) : {},
  }
}

/** POST with a form; `credentials` as Basic, none when null. */
export async function post(
  chain: Chain,
  path: string,
  form: Form,
  credentials: readonly [string, string] | null = CLIENT,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const authorization = credentials && { authorization: basic(...credentials) }
  return answerOf(
    await fetch(chain.url + path, {
      method: 'POST',
      headers: { ...authorization, ...headers },
      body: new URLSearchParams(form),
    }),
  )
}

/** Signs `testuser` in at the first app. */
export async function login(
  chain: Chain,
  parameters = {},
  browser: Browser = chain.newBrowser(),
  app = chain.app,
): Promise<TokenAnswer['body']> {
  const request = app.request(parameters)
  const { body } = await app.finish(await chain.signIn(browser, request.url), request)
  return body
}

/** The same token with other claims or another header, signed by our own key. */
export async function resigned(
  { secrets }: Chain,
  token: string,
  changes: object,
  headerChanges: object = {},
): Promise<string> {
  const key = await importJWK(secrets.signingKeys.keys[0] as JWK, 'RS256')
  return new SignJWT({ ...claimsOf(token), ...changes })
    .setProtectedHeader({ ...headerOf(token), alg: 'RS256', ...headerChanges })
    .sign(key)
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** Tokens that are none of ours, made of one that is. */
export function forgeries(token: string): [name: string, token: string][] {
  const [head = '', body = '', signature = ''] = token.split('.')
  return [
    ['cut', token.slice(0, -20)],
    ['cut in half', token.slice(0, token.length / 2)],
    ['without signature', `${head}.${body}.`],
    ['alg none', `${encode({ ...headerOf(token), alg: 'none' })}.${body}.`],
    [
      'alg none with the signature',
      `${encode({ ...headerOf(token), alg: 'none' })}.${body}.${signature}`,
    ],
    ['other claims', `${head}.${encode({ ...claimsOf(token), sub: 'admin' })}.${signature}`],
    ['two tokens', `${token}.${token}`],
    ['no token', 'no-token'],
    ['43 characters', 'a'.repeat(43)],
  ]
}

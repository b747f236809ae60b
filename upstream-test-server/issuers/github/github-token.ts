// POST /login/oauth/access_token: errors have status 200, and the answer is a form unless JSON is asked for.
import { createHash, timingSafeEqual } from 'node:crypto'
import { json, Router, urlencoded } from 'express'
import type { Request, Response } from 'express'
import type { UpstreamClient } from '../../provider/provider.ts'
import type { Code, GithubParts } from './github-state.ts'

type Fields = Record<string, unknown>

const sha256 = (value: string) => createHash('sha256').update(value).digest()
const isSame = (a: string, b: string) => timingSafeEqual(sha256(a), sha256(b))
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

function clientOf(clients: readonly UpstreamClient[], fields: Fields): UpstreamClient | undefined {
  const client = clients.find(({ clientId }) => clientId === fields['client_id'])
  return client && isSame(client.clientSecret, text(fields['client_secret'])) ? client : undefined
}

function provesPkce({ codeChallenge }: Code, fields: Fields): boolean {
  if (codeChallenge === undefined) return true
  return isSame(sha256(text(fields['code_verifier'])).toString('base64url'), codeChallenge)
}

/** The words are GitHub's: https://docs.github.com/en/apps/oauth-apps/maintaining-oauth-apps/troubleshooting-oauth-app-access-token-request-errors */
function faultOf(code: Code | undefined, client: UpstreamClient, fields: Fields) {
  const isOwn = code?.clientId === client.clientId
  if (!code || !isOwn || !provesPkce(code, fields)) return 'bad_verification_code'
  const target = text(fields['redirect_uri'])
  return target !== '' && target !== code.redirectUri ? 'redirect_uri_mismatch' : undefined
}

function answerTo(parts: GithubParts, fields: Fields): Record<string, string> {
  const client = clientOf(parts.clients, fields)
  const code = client && parts.codes.take(text(fields['code']))
  const error = client ? faultOf(code, client, fields) : 'incorrect_client_credentials'
  if (error !== undefined || !code) {
    parts.log.info('token.failed', { client_id: client?.clientId, error })
    return { error: error ?? '', error_description: (error ?? '').replaceAll('_', ' ') }
  }
  parts.log.info('token.issued', { client_id: code.clientId })
  const { sub, scopes } = code
  const access_token = parts.tokens.add({ sub, scopes })
  return { access_token, scope: scopes.join(','), token_type: 'bearer' }
}

function send(req: Request, res: Response, answer: Record<string, string>, alwaysForm: boolean) {
  const wantsJson = (req.headers.accept ?? '').includes('application/json')
  res.set('Cache-Control', 'no-store')
  if (wantsJson && !alwaysForm) return void res.json(answer)
  res.type('application/x-www-form-urlencoded; charset=utf-8')
  res.send(new URLSearchParams(answer).toString())
}

export function githubTokenRoutes(parts: GithubParts): Router {
  const router = Router()
  const parsers = [urlencoded({ extended: false, limit: '8kb' }), json({ limit: '8kb' })]
  router.post('/login/oauth/access_token', parsers, (req: Request, res: Response) => {
    send(req, res, answerTo(parts, (req.body ?? {}) as Fields), parts.alwaysForm)
  })
  return router
}

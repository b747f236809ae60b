// GET /login/oauth/authorize and the sign-in page behind it. No consent is asked.
import { Router, urlencoded } from 'express'
import type { Request, RequestHandler, Response } from 'express'
import { loginPage, messagePage } from '../../pages/pages.ts'
import { loginPath } from '../../provider/interaction-binding.ts'
import type { UpstreamClient } from '../../provider/provider.ts'
import type { GithubParts, PendingRequest } from './github-state.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const field = (req: Request, name: string) =>
  text((req.body as Record<string, unknown> | undefined)?.[name])

function cookieOf(req: Request, name: string): string {
  const pairs = (req.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

function redirectTo(res: Response, target: string, answer: Record<string, string>): void {
  const url = new URL(target)
  for (const [name, value] of Object.entries(answer))
    if (value !== '') url.searchParams.set(name, value)
  res.redirect(302, url.href)
}

function sendError(res: Response, { redirectUri, state }: PendingRequest, error: string): void {
  redirectTo(res, redirectUri, { error, error_description: error.replaceAll('_', ' '), state })
}

function requestFrom({ query }: Request, client: UpstreamClient): PendingRequest {
  const [registered = ''] = client.redirectUris
  return {
    clientId: client.clientId,
    redirectUri: text(query['redirect_uri']) || registered,
    state: text(query['state']),
    // Separated by spaces or commas: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    scopes: text(query['scope'])
      .split(/[\s,]+/)
      .filter(Boolean),
    codeChallenge: text(query['code_challenge']) || undefined,
  }
}

/** Of a request that may not go on; it goes back to the registered address, whatever was asked for. */
function faultOf(req: Request, request: PendingRequest, client: UpstreamClient) {
  if (!client.redirectUris.includes(request.redirectUri)) return 'redirect_uri_mismatch'
  const method = req.query['code_challenge_method']
  return request.codeChallenge !== undefined && method !== 'S256' ? 'invalid_request' : undefined
}

function finish(parts: GithubParts, res: Response, request: PendingRequest, sub: string): void {
  const refused = parts.scenario.refusals.take('consent', parts.users.find(sub)?.username)
  if (refused !== undefined) return sendError(res, request, refused)
  parts.log.info('authorization.granted', { client_id: request.clientId })
  const code = parts.codes.add({ ...request, sub })
  redirectTo(res, request.redirectUri, { code, state: request.state })
}

function askToSignIn(parts: GithubParts, res: Response, request: PendingRequest, hint: string) {
  const uid = parts.pending.add(request)
  const set = (name: string, value: string, options: object) => res.cookie(name, value, options)
  const url = parts.binding.begin({ cookies: { set } }, uid)
  res.redirect(302, hint === '' ? url : `${url}&login=${encodeURIComponent(hint)}`)
}

function authorize(parts: GithubParts): RequestHandler {
  return (req, res) => {
    const client = parts.clients.find(({ clientId }) => clientId === req.query['client_id'])
    if (!client) {
      const message = 'This application is not known here'
      res.status(404).type('html').send(messagePage('There is no such page', message))
      return
    }
    const request = requestFrom(req, client)
    const fault = faultOf(req, request, client)
    const [registered = ''] = client.redirectUris
    if (fault !== undefined) return sendError(res, { ...request, redirectUri: registered }, fault)
    const sub = parts.sessions.get(cookieOf(req, parts.sessionCookie))
    if (sub !== undefined && req.query['prompt'] !== 'select_account')
      return finish(parts, res, request, sub)
    askToSignIn(parts, res, request, text(req.query['login']))
  }
}

interface Step {
  req: Request
  res: Response
  uid: string
  request: PendingRequest
}

function showLogin(parts: GithubParts, step: Step, username: string, error?: string): void {
  const { serverName, binding } = parts
  const action = `${binding.path}?interaction=${encodeURIComponent(step.uid)}`
  const { clientId } = step.request
  const page = { serverName, action, interactionUid: step.uid, clientId, username, error }
  step.res.status(error === undefined ? 200 : 400)
  step.res.type('html').send(loginPage(page))
}

async function signIn(parts: GithubParts, step: Step): Promise<void> {
  const { req, res, uid, request } = step
  const username = field(req, 'username')
  const check = await parts.users.checkPassword(username, field(req, 'password'))
  if (!check.ok) {
    parts.log.warn('login.failed', { sub: check.sub, failed_attempts: check.failedAttempts })
    return showLogin(parts, step, username, 'The user name or the password is wrong.')
  }
  const { sub, username: name } = check.user
  const { people, refusals } = parts.scenario
  if (people.of(name).disabled === true)
    return showLogin(parts, step, name, 'This account is disabled.')
  // Sent twice, it is answered once.
  if (!parts.pending.take(uid)) return showNotStartedHere(res)
  const refused = people.of(name).refused ?? refusals.take('login', name)
  if (refused !== undefined) return sendError(res, request, refused)
  parts.log.info('login.succeeded', { sub })
  const { basePath: path, https: secure } = parts
  const session = parts.sessions.add(sub)
  res.cookie(parts.sessionCookie, session, { path, secure, httpOnly: true, sameSite: 'lax' })
  res.clearCookie(parts.binding.cookieName(uid), { path: parts.binding.path })
  finish(parts, res, request, sub)
}

function cancel(parts: GithubParts, { res, uid, request }: Step): void {
  parts.log.info('login.cancelled')
  parts.pending.take(uid)
  sendError(res, request, 'access_denied')
}

function showNotStartedHere(res: Response): void {
  const message = 'It was begun in another browser, took too long, or is finished.'
  res.status(400).type('html').send(messagePage('This sign-in is not open here', message))
}

function forOwnRequest(
  parts: GithubParts,
  uidFrom: (req: Request) => string,
  answer: (step: Step) => void | Promise<void>,
): RequestHandler {
  const { pending, binding } = parts
  return async (req, res) => {
    const uid = uidFrom(req)
    const isOwn = binding.holds(uid, cookieOf(req, binding.cookieName(uid)))
    const request = isOwn ? pending.get(uid) : undefined
    if (!request) return showNotStartedHere(res)
    await answer({ req, res, uid, request })
  }
}

export function githubAuthorizeRoutes(parts: GithubParts): Router {
  const router = Router()
  const parseForm = urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 })
  const inQuery = (req: Request) => text(req.query['interaction'])
  const inForm = (req: Request) => field(req, 'interaction')
  const showForm = (step: Step) => showLogin(parts, step, text(step.req.query['login']))
  const submit = (step: Step) =>
    field(step.req, 'action') === 'cancel' ? cancel(parts, step) : signIn(parts, step)
  router.get('/login/oauth/authorize', authorize(parts))
  router.get(loginPath, forOwnRequest(parts, inQuery, showForm))
  router.post(loginPath, parseForm, forOwnRequest(parts, inForm, submit))
  return router
}

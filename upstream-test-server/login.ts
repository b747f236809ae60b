// GET and POST /login: shows the form, checks the password and hands the result to the interaction it belongs to.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type Provider from 'oidc-provider'
import type { InteractionResults, KoaContextWithOIDC } from 'oidc-provider'
import { Router, urlencoded } from 'express'
import type { Request, Response } from 'express'
import type { Log } from '../service/log.ts'
import { loginPage, messagePage } from './pages.ts'
import { interactionTtlSeconds } from './provider.ts'
import type { Users } from './users.ts'

type Interaction = InstanceType<Provider['Interaction']>

const loginPath = '/login'
const cookiePrefix = 'TEST_AUTH_SERVER_INTERACTION_'

// One cookie for each interaction, so that several tabs do not overwrite one another's. Its value can not be made by who
// only knows the uid: a link to somebody else's interaction is of no use, and nor is a form on another site.
export interface InteractionBinding {
  cookieName(uid: string): string
  cookieValue(uid: string): string
  holds(uid: string, cookieValue: string | undefined): boolean
}

export function createInteractionBinding(key: string): InteractionBinding {
  const cookieValue = (uid: string) => createHmac('sha256', key).update(uid).digest('base64url')
  return {
    cookieName: (uid) => `${cookiePrefix}${uid.slice(0, 8)}`,
    cookieValue,
    holds(uid, value = '') {
      const expected = Buffer.from(cookieValue(uid))
      const actual = Buffer.from(value)
      return actual.length === expected.length && timingSafeEqual(actual, expected)
    },
  }
}

/** For oidc-provider's `interactions.url`. */
export function beginInteraction(binding: InteractionBinding, ctx: KoaContextWithOIDC, uid: string): string {
  ctx.cookies.set(binding.cookieName(uid), binding.cookieValue(uid), {
    path: loginPath,
    httpOnly: true,
    sameSite: 'lax',
    signed: false,
    maxAge: interactionTtlSeconds * 1000,
  })
  return `${loginPath}?interaction=${uid}`
}

export interface LoginOptions {
  provider: Provider
  users: Users
  binding: InteractionBinding
  log: Log
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const wrongPassword = 'The user name or the password is wrong.'

function showLogin(res: Response, interaction: Interaction, username: string, error?: string): void {
  const clientId = text(interaction.params.client_id)
  const page = loginPage({ interactionUid: interaction.uid, clientId, username, error })
  res.status(error === undefined ? 200 : 400).type('html').send(page)
}

function showNotStartedHere(res: Response): void {
  const message =
    'It was begun in another browser, took longer than ten minutes, or is finished. ' +
    'Go back to the application and sign in from there.'
  res.status(400).type('html').send(messagePage('This sign-in is not open here', message))
}

// The hint's signature was verified when the request came in; oidc-provider does not look at it again after a sign-in.
function hintedSubject({ params }: Interaction): string | undefined {
  const payload = text(params.id_token_hint).split('.')[1]
  if (payload === undefined) return undefined
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

// OpenID Connect Core 1.0 section 3.1.2.1, id_token_hint: an error unless the end-user it names is signed in.
// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
function isSomebodyElse(interaction: Interaction, sub: string): boolean {
  const hinted = hintedSubject(interaction)
  return hinted !== undefined && hinted !== sub
}

export function createLoginRouter({ provider, users, binding, log }: LoginOptions): Router {
  async function findInteraction(req: Request, res: Response, uid: string): Promise<Interaction | undefined> {
    const { cookies } = provider.createContext(req, res)
    if (!binding.holds(uid, cookies.get(binding.cookieName(uid), { signed: false }))) return undefined
    return provider.Interaction.find(uid)
  }

  async function finish(res: Response, interaction: Interaction, result: InteractionResults): Promise<void> {
    interaction.result = result
    await interaction.persist()
    res.clearCookie(binding.cookieName(interaction.uid), { path: loginPath })
    res.redirect(302, interaction.returnTo)
  }

  // Whoever was signed in here before is signed out, and tabs that began under that session may still finish.
  async function endOtherSession(req: Request, res: Response, interaction: Interaction, sub: string): Promise<void> {
    const { cookies } = provider.createContext(req, res)
    const session = await provider.Session.find(cookies.get(provider.cookieName('session'), { signed: true }) ?? '')
    if (session?.accountId !== undefined && session.accountId !== sub) await session.destroy()
    delete interaction.session
  }

  async function signIn(req: Request, res: Response, interaction: Interaction): Promise<void> {
    const body = req.body as Record<string, unknown>
    const username = text(body.username)
    const check = await users.checkPassword(username, text(body.password))
    if (!check.ok) {
      log.warn('login.failed', { sub: check.sub, failed_attempts: check.failedAttempts })
      return showLogin(res, interaction, username, wrongPassword)
    }
    const { sub } = check.user
    if (isSomebodyElse(interaction, sub)) return finish(res, interaction, { error: 'login_required' })
    log.info('login.succeeded', { sub })
    await endOtherSession(req, res, interaction, sub)
    await finish(res, interaction, { login: { accountId: sub, amr: ['pwd'], remember: false } })
  }

  async function showForm(req: Request, res: Response): Promise<void> {
    const interaction = await findInteraction(req, res, text(req.query.interaction))
    if (!interaction) return showNotStartedHere(res)
    showLogin(res, interaction, text(interaction.params.login_hint))
  }

  async function submitForm(req: Request, res: Response): Promise<void> {
    const body = (req.body ?? {}) as Record<string, unknown>
    const interaction = await findInteraction(req, res, text(body.interaction))
    if (!interaction) return showNotStartedHere(res)
    if (body.action !== 'cancel') return signIn(req, res, interaction)
    log.info('login.cancelled', {})
    const error_description = 'The end-user cancelled the sign-in'
    await finish(res, interaction, { error: 'access_denied', error_description })
  }

  const router = Router()
  router.get(loginPath, showForm)
  router.post(loginPath, urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 }), submitForm)
  return router
}

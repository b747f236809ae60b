// GET and POST /login: shows the form, checks the password, gives the result to its interaction.
import type Provider from 'oidc-provider'
import type { InteractionResults } from 'oidc-provider'
import { Router, urlencoded } from 'express'
import type { Request, Response } from 'express'
import type { Log } from '../service/log.ts'
import { reachedBy } from './behaviour/sign-in/authentication.ts'
import type { Scenario } from './behaviour/scenario.ts'
import { loginPath } from './provider/interaction-binding.ts'
import type { InteractionBinding } from './provider/interaction-binding.ts'
import { loginPage, messagePage } from './pages/pages.ts'
import type { Standing, Users } from './people/users.ts'

type Interaction = InstanceType<Provider['Interaction']>

export interface LoginOptions {
  /** What people read on the pages. */
  serverName: string
  provider: Provider
  users: Users
  binding: InteractionBinding
  log: Log
  scenario: Scenario
}

/** One request about an interaction that this browser began. */
interface Step extends LoginOptions {
  req: Request
  res: Response
  interaction: Interaction
}

type Answer = (step: Step) => void | Promise<void>

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const formField = (req: Request, name: string) =>
  text((req.body as Record<string, unknown> | undefined)?.[name])

function showNotStartedHere(res: Response): void {
  const message =
    'It was begun in another browser, took longer than ten minutes, or is finished. ' +
    'Go back to the application and sign in from there.'
  res.status(400).type('html').send(messagePage('This sign-in is not open here', message))
}

function showLogin(step: Step, username: string, error?: string): void {
  const { res, interaction, binding, serverName } = step
  const clientId = text(interaction.params.client_id)
  const { levels } = step.scenario.authentication.current()
  const asked = text(interaction.params.acr_values)
  const page = loginPage({
    serverName,
    action: `${binding.path}?interaction=${encodeURIComponent(interaction.uid)}`,
    interactionUid: interaction.uid,
    clientId,
    username,
    asksSecondFactor: reachedBy(asked, levels, undefined).acr !== levels[0],
    error,
  })
  res.status(error === undefined ? 200 : 400)
  res.type('html').send(page)
}

async function finish(step: Step, result: InteractionResults): Promise<void> {
  const { res, interaction, binding } = step
  interaction.result = result
  await interaction.persist()
  res.clearCookie(binding.cookieName(interaction.uid), { path: binding.path })
  res.redirect(302, interaction.returnTo)
}

// The hint's signature was verified when the request came in, but oidc-provider does not look at it
// again after a sign-in.
function hintedSubject({ params }: Interaction): string | undefined {
  const payload = text(params.id_token_hint).split('.')[1]
  if (payload === undefined) return undefined
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { sub: string }).sub
}

// id_token_hint is an error unless the end-user it names is signed in:
// https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest
function isSomebodyElse(interaction: Interaction, sub: string): boolean {
  const hinted = hintedSubject(interaction)
  return hinted !== undefined && hinted !== sub
}

// Whoever was signed in here is signed out; a tab that began under that session may still finish.
async function endOtherSession({ req, res, provider, interaction }: Step, sub: string) {
  const { cookies } = provider.createContext(req, res)
  const sessionId = cookies.get(provider.cookieName('session'), { signed: true })
  const session = sessionId === undefined ? undefined : await provider.Session.find(sessionId)
  if (session?.accountId !== undefined && session.accountId !== sub) await session.destroy()
  delete interaction.session
}

const refusal = (error: string): InteractionResults => ({
  error,
  error_description: 'The end-user was refused, as this server was told',
})

function reached({ req, interaction, scenario }: Step, username: string) {
  const hasOnlyPassword = formField(req, 'without_second_factor') !== ''
  const asked = hasOnlyPassword ? '' : text(interaction.params.acr_values)
  const { levels } = scenario.authentication.current()
  return reachedBy(asked, levels, scenario.people.of(username).acr)
}

const barredTexts: Record<Exclude<Standing, 'ACTIVE'>, string> = {
  DISABLED: 'This account is disabled.',
  LOCKED: 'This account is locked.',
  SYSTEM: 'This account is for programs and can not sign in here.',
}

async function signIn(step: Step): Promise<void> {
  const { req, users, log, interaction, scenario } = step
  const username = formField(req, 'username')
  const check = await users.checkPassword(username, formField(req, 'password'))
  if (!check.ok) {
    log.warn('login.failed', { sub: check.sub, failed_attempts: check.failedAttempts })
    return showLogin(step, username, 'The user name or the password is wrong.')
  }
  const { sub, username: name, standing } = check.user
  const barred = scenario.people.of(name).disabled === true ? 'DISABLED' : standing
  if (barred !== 'ACTIVE') return showLogin(step, name, barredTexts[barred])
  const refused = scenario.people.of(name).refused ?? scenario.refusals.take('login', name)
  if (refused !== undefined) return finish(step, refusal(refused))
  if (isSomebodyElse(interaction, sub)) return finish(step, { error: 'login_required' })
  log.info('login.succeeded', { sub })
  await endOtherSession(step, sub)
  await finish(step, { login: { accountId: sub, ...reached(step, name), remember: false } })
}

async function cancel(step: Step): Promise<void> {
  step.log.info('login.cancelled')
  const error_description = 'The end-user cancelled the sign-in'
  await finish(step, { error: 'access_denied', error_description })
}

const showForm: Answer = (step) => showLogin(step, text(step.interaction.params.login_hint))
const submitForm: Answer = (step) =>
  formField(step.req, 'action') === 'cancel' ? cancel(step) : signIn(step)

function forOwnInteraction(
  options: LoginOptions,
  uidFrom: (req: Request) => string,
  answer: Answer,
) {
  const { provider, binding } = options
  return async (req: Request, res: Response): Promise<void> => {
    const uid = uidFrom(req)
    const { cookies } = provider.createContext(req, res)
    const isOwn = binding.holds(uid, cookies.get(binding.cookieName(uid), { signed: false }))
    const interaction = isOwn ? await provider.Interaction.find(uid) : undefined
    if (!interaction) return showNotStartedHere(res)
    await answer({ ...options, req, res, interaction })
  }
}

export function createLoginRouter(options: LoginOptions): Router {
  const router = Router()
  const uidInQuery = (req: Request) => text(req.query.interaction)
  const uidInForm = (req: Request) => formField(req, 'interaction')
  const parseForm = urlencoded({ extended: false, limit: '8kb', parameterLimit: 20 })
  router.get(loginPath, forOwnInteraction(options, uidInQuery, showForm))
  router.post(loginPath, parseForm, forOwnInteraction(options, uidInForm, submitForm))
  return router
}

// The chooser over HTTP: /oauth2/authorization shows it, /oauth2/authorization?upstream=<name> is its buttons, and a POST is
// its e-mail field. Only for the browser that began the login; what may be chosen is decided in choose-upstream.ts.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Interaction } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import { InteractionError } from '../../errors.ts'
import { chooserPage, type ChooserOptions } from '../../pages/chooser-page.ts'
import type { UpstreamChooser } from './choose-upstream.ts'
import { rememberingCookie } from './choose-upstream-cookie.ts'
import type { Upstreams } from '../../upstream/upstreams.ts'
import type { BoundLogin } from '../login-binding.ts'
import { interactionUid } from '../login-routes.ts'
import { nextStep } from '../next-step.ts'
import { boundLogin, chooserPath, startPath, type LoginParts } from '../start-login.ts'

export interface ChooserRouteOptions extends Pick<LoginParts, 'interactions' | 'binding'> {
  config: Pick<Config, 'issuer' | 'upstreams' | 'clients'>
  chooser: UpstreamChooser
  /** What is known without asking; the page does not wait for it. */
  upstreams: Pick<Upstreams, 'status'>
}

const FORM = urlencoded({ extended: false, limit: '4kb', parameterLimit: 5 })

export function createChooserRoutes(options: ChooserRouteOptions): Router {
  const cookie = rememberingCookie(options.config.issuer)
  const router = Router({ strict: true, caseSensitive: true })
  const path = '/oauth2/authorization'
  router.get(path, async (request, response) => {
    const at = await openChoice(options, request)
    if ('location' in at) return response.redirect(302, at.location)
    const chosen = request.query['upstream']
    if (chosen === undefined) {
      const last = cookie.read(request.headers.cookie)
      return show(response, page(options, at, { order: lastFirst(at.names, last) }))
    }
    if (typeof chosen !== 'string' || !at.names.includes(chosen)) throw notOffered(at.login)
    response.append('set-cookie', cookie.write(chosen))
    response.redirect(302, startPath(chosen, at.uid))
  })
  router.post(path, FORM, async (request, response) => {
    const at = await openChoice(options, request)
    if ('location' in at) return response.redirect(303, at.location)
    const email = String((request.body as Record<string, unknown> | undefined)?.['email'] ?? '')
    const found = options.chooser.findByEmail(email.trim(), at.names)
    if (found === undefined)
      return show(response.status(422), page(options, at, { order: at.names, unknownEmail: email }))
    response.append('set-cookie', cookie.write(found))
    // Not a redirect: it would lead a form to another site, which the page's form-action forbids. The link is the same way.
    response.set('refresh', `0;url=${startPath(found, at.uid)}`)
    show(response, page(options, at, { order: [found] }))
  })
  router.all(path, (request, response) => {
    response.set('allow', 'GET, POST')
    const message = `the chooser is not for ${request.method}`
    throw new InteractionError('method_not_allowed', message)
  })
  return router
}

interface OpenChoice {
  uid: string
  login: BoundLogin
  /** In the order of the configuration. */
  names: string[]
}

/** What this browser's login may choose from, or where it goes without. */
async function openChoice(
  options: ChooserRouteOptions,
  request: Request,
): Promise<OpenChoice | { location: string }> {
  const uid = interactionUid(request)
  const { cookie: cookieHeader } = request.headers
  const login = await boundLogin(options, { uid, cookieHeader }, 'cookies_blocked')
  const { clientId } = login
  const interaction = await options.interactions.find(uid)
  if (!interaction)
    throw new InteractionError('expired', 'the interaction is over', { wayOn: { clientId } })
  if (interaction.result) return { location: interaction.returnTo }
  const choice = options.chooser.choose({ clientId, params: interaction.params })
  if (choice.kind === 'refused') throw notOffered(login)
  if (choice.kind === 'upstream') return { location: startPath(choice.name, uid) }
  const needless = answeredWithout(interaction) ? choice.names[0] : undefined
  return needless ? { location: startPath(needless, uid) } : { uid, login, names: choice.names }
}

/** What ends in an OAuth error anyway is no question to the person; any start hop gives the answer. */
function answeredWithout(interaction: Interaction): boolean {
  return nextStep(interaction).kind === 'answer'
}

function notOffered({ clientId }: BoundLogin): InteractionError {
  return new InteractionError('unknown_upstream', 'this login can not go where it was told to', {
    wayOn: { clientId },
  })
}

function lastFirst(names: string[], last: string | undefined): string[] {
  return names.toSorted((a, b) => Number(b === last) - Number(a === last))
}

function page(
  { config, upstreams }: ChooserRouteOptions,
  { uid, login, names }: OpenChoice,
  { order, unknownEmail }: { order: string[]; unknownEmail?: string },
): string {
  const hasDomains = names.some((name) => (config.upstreams[name]?.domains.length ?? 0) > 0)
  const unknown = unknownEmail === undefined ? {} : { email: unknownEmail, isUnknown: true }
  const options: ChooserOptions = {
    clientName: config.clients[login.clientId]?.client_name ?? login.clientId,
    choices: order.map((name) => ({
      name: config.upstreams[name]?.display_name ?? name,
      href: `${chooserPath(uid)}&upstream=${name}`,
      isDown: upstreams.status(name).state === 'down',
    })),
    emailForm: hasDomains ? { action: chooserPath(uid), ...unknown } : undefined,
    flowId: login.flowId || undefined,
  }
  return chooserPage(options)
}

function show(response: Response, html: string): void {
  response.type('html').send(html)
}

// The consent page over HTTP: /consent shows what an app that is somebody else's asks for, a POST decides. Only for the
// browser that began the login; what was agreed to is kept before the authorization request goes on.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Interaction } from 'oidc-provider'
import { askedConsent } from '../../claims/consent/asked-consent.ts'
import { mintedClaims } from '../../claims/scopes.ts'
import type { ClientConfig, Config } from '../../config/schema.ts'
import { InteractionError } from '../../errors.ts'
import { consentPage } from '../../pages/consent-page.ts'
import { goOnPage } from '../../pages/go-on-page.ts'
import type { Consents } from '../../storage/consents/consents.ts'
import type { Identities } from '../../storage/sessions/identities.ts'
import type { UnitOfWork } from '../../storage/unit-of-work.ts'
import type { Log } from '../../../service/log.ts'
import { unlogged } from '../../../service/unlogged.ts'
import { interactionUid } from '../login-routes.ts'
import { answer, boundLogin, type LoginParts } from '../start-login.ts'
import { consentAsks } from './consent-asks.ts'
import { consentPath } from './consent-path.ts'
import { createConsentTokens, type ConsentTokens } from './consent-token.ts'

export interface ConsentRouteOptions extends Pick<LoginParts, 'interactions' | 'binding'> {
  config: Pick<Config, 'clients' | 'upstreams' | 'scope_descriptions'>
  identities: Pick<Identities, 'find'>
  consents: Consents
  cookieKeys: readonly string[]
  unitOfWork: UnitOfWork
  log: Log
}

type Parts = ConsentRouteOptions & { tokens: ConsentTokens }

const FORM = urlencoded({ extended: false, limit: '4kb', parameterLimit: 5 })
const PATH = '/consent'

export function createConsentRoutes(options: ConsentRouteOptions): Router {
  const parts = { ...options, tokens: createConsentTokens(options.cookieKeys) }
  const router = Router({ strict: true, caseSensitive: true })
  router.get(PATH, async (request, response) => {
    const at = await openQuestion(parts, request)
    if ('location' in at) return response.redirect(302, at.location)
    response.type('html').send(await page(parts, at))
  })
  router.post(PATH, FORM, (request, response) => decide(parts, request, response))
  router.all(PATH, (request, response) => {
    response.set('allow', 'GET, POST')
    const message = `the consent page is not for ${request.method}`
    throw new InteractionError('method_not_allowed', message)
  })
  return router
}

interface Question {
  uid: string
  flowId: string
  clientId: string
  client: ClientConfig
  accountId: string
  interaction: Interaction
}

/** What this browser's login is to agree to, or where it goes without. */
async function openQuestion(
  { config, ...parts }: Parts,
  request: Request,
): Promise<Question | { location: string }> {
  const uid = interactionUid(request)
  const { cookie: cookieHeader } = request.headers
  const { clientId, flowId } = await boundLogin(parts, { uid, cookieHeader }, 'cookies_blocked')
  const interaction = await parts.interactions.find(uid)
  const wayOn = { clientId }
  if (!interaction) throw new InteractionError('expired', 'the interaction is over', { wayOn })
  if (interaction.result) return { location: interaction.returnTo }
  const client = config.clients[clientId]
  const accountId = interaction.session?.accountId
  if (interaction.prompt.name !== 'consent' || !client?.third_party || accountId === undefined)
    throw new InteractionError('not_started_here', 'this login asks for no consent', { wayOn })
  return { uid, flowId, clientId, client, accountId, interaction }
}

function itemsOf({ config }: Parts, { client, interaction }: Question) {
  return askedConsent(interaction.params, { ...client, minted: mintedClaims(config) })
}

async function page(parts: Parts, question: Question): Promise<string> {
  const { uid, flowId, clientId, client, interaction } = question
  const identity = await parts.identities.find(interaction.session?.uid ?? '')
  const items = itemsOf(parts, question)
  return consentPage({
    clientName: client.client_name ?? clientId,
    clientUri: client.client_uri,
    ...consentAsks(items, { identity, clientId, descriptions: parts.config.scope_descriptions }),
    action: consentPath(uid),
    token: parts.tokens.make(uid),
    flowId: flowId || undefined,
  })
}

async function decide(parts: Parts, request: Request, response: Response): Promise<void> {
  const at = await openQuestion(parts, request)
  if ('location' in at) return show(response, goOnPage(at.location), at.location)
  const form = (request.body ?? {}) as Readonly<Record<string, unknown>>
  if (!parts.tokens.isMade(at.uid, form['token']))
    throw new InteractionError('not_started_here', 'the form is not one of this consent page', {
      wayOn: { clientId: at.clientId },
    })
  const decision = form['decision']
  // Neither button: asked again.
  if (decision !== 'allow' && decision !== 'refuse')
    return void response.type('html').send(await page(parts, at))
  const location = await parts.unitOfWork.run(() => settle(parts, at, decision === 'allow'))
  show(response, goOnPage(location), location)
}

async function settle(parts: Parts, question: Question, isAllowed: boolean): Promise<string> {
  const { clientId, accountId, interaction } = question
  parts.log.info(isAllowed ? 'consent.given' : 'consent.refused', {
    client_id: clientId,
    ...unlogged({ person: accountId }),
  })
  if (!isAllowed) return answer(interaction, REFUSED)
  await parts.consents.give({ clientId, accountId }, itemsOf(parts, question))
  return answer(interaction, { ...interaction.lastSubmission, consent: {} })
}

const REFUSED = { error: 'access_denied', error_description: 'the end-user refused' }

/** Not a redirect: the app may lead to another site, which the page's form-action forbids. The link is the same way. */
function show(response: Response, html: string, location: string): void {
  response.set('refresh', `0;url=${location}`).type('html').send(html)
}

// What real identity providers do differently, switched on for one issuer for as long as it is there. None: strict.
import type { RequestHandler } from 'express'
import type Provider from 'oidc-provider'
import type { Scenario } from '../../behaviour/scenario.ts'
import { refuseFromOutside, sayInternalEndpoints } from './internal-host.ts'

export interface Quirks {
  /** Switches that are on from the start, and again after a reset. */
  begin?: (scenario: Scenario) => void
  /** Userinfo is a signed JWT, https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse */
  signsUserinfo?: boolean
  /** Basic credentials are compared as they come, not percent-decoded as they should be. */
  takesRawCredentials?: boolean
  /** Logout without id_token_hint is refused. */
  demandsLogoutHint?: boolean
  /** The signing key is another one after each sign-in page, and the old one is gone. */
  rollsKeys?: boolean
  /** All but the browser's pages are served at the host `localhost` only. */
  hasInternalHost?: boolean
  /** In the shape of GitHub: the token endpoint answers with a form even to those who want JSON. */
  answersAsForm?: boolean
}

// https://www.rfc-editor.org/rfc/rfc6749.html#section-2.3.1
const takeRawCredentials: RequestHandler = (req, _res, next) => {
  const [, credentials = ''] = /^Basic (\S+)$/i.exec(req.headers.authorization ?? '') ?? []
  const [id = '', secret = ''] = Buffer.from(credentials, 'base64').toString().split(/:(.*)/s)
  const encoded = [id, secret].map(encodeURIComponent).join(':')
  if (credentials !== '')
    req.headers.authorization = `Basic ${Buffer.from(encoded).toString('base64')}`
  next()
}

const demandLogoutHint: RequestHandler = (req, res, next) => {
  const isAsked = req.path === '/connect/logout' && req.method === 'GET'
  if (!isAsked || req.query['id_token_hint'] !== undefined) return next()
  res.status(400).json({ error: 'invalid_request', error_description: 'id_token_hint is missing' })
}

const rollKeys =
  ({ keys }: Scenario): RequestHandler =>
  async (req, _res, next) => {
    if (req.path === '/oauth2/token') await keys.rotate({ publishFirst: false, old: 'withdrawn' })
    next()
  }

/** Go before the routes of the issuer. */
export function quirkHandlers(quirks: Quirks, scenario: Scenario): RequestHandler[] {
  return [
    ...(quirks.hasInternalHost ? [refuseFromOutside] : []),
    ...(quirks.takesRawCredentials ? [takeRawCredentials] : []),
    ...(quirks.demandsLogoutHint ? [demandLogoutHint] : []),
    ...(quirks.rollsKeys ? [rollKeys(scenario)] : []),
  ]
}

export function applyQuirks(provider: Provider, { hasInternalHost }: Quirks): void {
  if (hasInternalHost) sayInternalEndpoints(provider)
}

/** A reset leads back to what the issuer is by nature. */
export function scenarioWith({ begin }: Quirks, scenario: Scenario): Scenario {
  if (!begin) return scenario
  begin(scenario)
  const reset = () => {
    scenario.reset()
    begin(scenario)
  }
  return { ...scenario, reset }
}

// The HTTP side of logout that oidc-provider does not serve: the way back from the upstream's logout, and what an upstream
// says to us by its server or through the browser.
import { Router, urlencoded, type Response } from 'express'
import type { Config } from '../config/schema.ts'
import { loggedOutPage } from '../pages/logout-page.ts'
import type { HearUpstream } from './hear-upstream.ts'
import type { LeaveUpstream } from './up/leave-upstream.ts'

export interface LogoutRouteOptions {
  config: Pick<Config, 'upstreams'>
  leaveUpstream: Pick<LeaveUpstream, 'return'>
  hearUpstream: HearUpstream
}

/** An address longer than 8 kB is taken by nobody, so a form that would become one is not either. */
const SHORT_FORM = urlencoded({ extended: false, limit: '7kb', parameterLimit: 20, inflate: false })
const FORM = urlencoded({ extended: false, limit: '64kb', parameterLimit: 20, inflate: false })

/** Served by oidc-provider, to a GET. */
const END_SESSION = '/connect/logout'
const LOGOUT_PARAMETERS = [
  'id_token_hint',
  'logout_hint',
  'client_id',
  'post_logout_redirect_uri',
  'state',
  'ui_locales',
] as const

export function createLogoutRoutes(options: LogoutRouteOptions): Router {
  const { config, leaveUpstream, hearUpstream } = options
  const router = Router({ strict: true, caseSensitive: true })

  router.use('/logout/:way/:upstream', (request, _response, next) =>
    next(Object.hasOwn(config.upstreams, request.params.upstream) ? undefined : 'router'),
  )

  router.post(END_SESSION, SHORT_FORM, ({ body }, response) => {
    response.redirect(303, END_SESSION + queryOf((body ?? {}) as Record<string, unknown>))
  })

  router.get('/logout/callback/:upstream', async ({ params, query, headers }, response) => {
    const { upstream } = params
    const state = text(query['state']) ?? ''
    const target = await leaveUpstream.return(upstream, state, headers.cookie)
    // Reloaded, late, or without a state: what there was to end has ended.
    if (target === undefined) response.type('html').send(loggedOutPage())
    else response.redirect(302, target)
  })

  router.post('/logout/backchannel/:upstream', FORM, async ({ params, body }, response) => {
    const token = text((body as Record<string, unknown> | undefined)?.['logout_token'])
    const isDone = token !== undefined && (await hearUpstream.backChannel(params.upstream, token))
    answer(response, isDone)
  })

  router.get('/logout/frontchannel/:upstream', async ({ params, query }, response) => {
    const [iss, sid] = [text(query['iss']), text(query['sid'])]
    const said = iss === undefined || sid === undefined ? undefined : { iss, sid }
    const isDone = said !== undefined && (await hearUpstream.frontChannel(params.upstream, said))
    // The upstream loads it in a frame; there is nothing in it to be clicked.
    response.removeHeader('x-frame-options')
    response.set('content-security-policy', "default-src 'none'")
    if (isDone) response.type('html').send('<!doctype html><title>Signed out</title>')
    else answer(response, false)
  })

  return router
}

/**
 * A form of another site comes without our SameSite=Lax cookies, so that nobody would seem to be signed in; the GET that
 * follows it has them. https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout
 */
function queryOf(form: Readonly<Record<string, unknown>>): string {
  const sent = new URLSearchParams()
  for (const name of LOGOUT_PARAMETERS)
    for (const value of [form[name] ?? []].flat()) sent.append(name, String(value))
  return sent.size === 0 ? '' : `?${sent.toString()}`
}

/** https://openid.net/specs/openid-connect-backchannel-1_0.html#BCResponse */
function answer(response: Response, isDone: boolean): void {
  response.set('cache-control', 'no-store')
  if (isDone) response.status(200).end()
  else response.status(400).json({ error: 'invalid_request' })
}

/** A parameter that came once. */
function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

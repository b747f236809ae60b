// Stands before every route that is not open to all: finds out who asks, refreshes what is over, and keeps out whom a path is not for.
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { noteFields } from '../../../service/request-context.ts'
import { isTopLevelNavigation } from '../../browser/navigation.ts'
import { isOwnForm } from '../../browser/own-form.ts'
import { HOME_OF_SIGNED_IN, signInPath } from '../../login/paths.ts'
import type { KeepFresh } from '../../refresh/keep-fresh.ts'
import { SignInError } from '../../relying-party/sign-in-error.ts'
import type { RefreshOutcome, TokenLogins } from '../../token-login/token-logins.ts'
import type { Identify, Identity } from '../identify.ts'
import { loginPagePath } from './login-page-path.ts'
import { setPrincipal, setUnknown } from '../principal.ts'
import type { Principal } from '../principal.ts'
import { unauthenticated } from '../unauthenticated.ts'
import type { AccessOf } from './public-paths.ts'

export interface GateOptions {
  readonly accessOf: AccessOf
  readonly identify: Identify
  readonly tokenLogins: Pick<TokenLogins, 'refresh'>
  readonly session: RequestHandler
  readonly keepFresh: KeepFresh
  /** Public origin of this app. */
  readonly url: string
  showForgedForm(req: Request, res: Response): Promise<void>
  showUnavailable(req: Request, res: Response): Promise<void>
}

type Found =
  | { readonly principal: Principal }
  | { readonly nobody: 'missing' | 'bad_token' | 'unavailable' }

export function createGate(options: GateOptions): RequestHandler {
  const { accessOf, session, url, showForgedForm, showUnavailable } = options
  return async (req, res, next) => {
    await settled(session, req, res)
    const found = await find(options, req, res)
    // A header is no cookie: nobody else's page can make a browser send it.
    const isSafe = req.headers.authorization !== undefined || isReading(req) || isOwnForm(req, url)
    if (!isSafe) return showForgedForm(req, res)
    if ('principal' in found) {
      setPrincipal(req, found.principal)
      noteFields({ flow_id: found.principal.flowId })
      return next()
    }
    if (found.nobody === 'bad_token') return refuse(req, res, 'Bearer error="invalid_token"')
    if (found.nobody === 'unavailable') setUnknown(req)
    if (accessOf(req.method, req.path) === 'optional') return next()
    if (found.nobody === 'unavailable') return showUnavailable(req, res)
    keepOut(req, res, next)
  }
}

async function find(options: GateOptions, req: Request, res: Response): Promise<Found> {
  const { identify, keepFresh, tokenLogins } = options
  try {
    const freshness = req.headers.authorization === undefined ? await keepFresh(req) : 'done'
    const identity = await identify(req)
    if (identity.kind === 'known') return { principal: identity.principal }
    if (freshness === 'unavailable') return UNAVAILABLE
    if (isToRefresh(identity)) return refreshed(await tokenLogins.refresh(req, res))
    return nobodyIn(identity)
  } catch (error) {
    if (error instanceof SignInError && error.code === 'adapter_unavailable') return UNAVAILABLE
    throw error
  }
}

const UNAVAILABLE: Found = { nobody: 'unavailable' }

const isToRefresh = (identity: Identity): boolean =>
  identity.kind === 'refused' && identity.via === 'cookie' && identity.reason === 'expired'

function nobodyIn(identity: Identity): Found {
  const isBearer = identity.kind === 'refused' && identity.via === 'bearer'
  return { nobody: isBearer ? 'bad_token' : 'missing' }
}

function refreshed(outcome: RefreshOutcome): Found {
  if (outcome.kind === 'refreshed') return { principal: outcome.principal }
  return { nobody: outcome.kind === 'over' ? 'missing' : 'unavailable' }
}

const isReading = ({ method }: Request): boolean => ['GET', 'HEAD', 'OPTIONS'].includes(method)

const isForChain = ({ path }: Request): boolean =>
  path === HOME_OF_SIGNED_IN || path.startsWith(`${HOME_OF_SIGNED_IN}/`)

/** A person is led to where one signs in; everything else is told so. */
function keepOut(req: Request, res: Response, next: NextFunction): void {
  if (!isTopLevelNavigation(req)) return refuse(req, res, 'Bearer')
  // Its own handler starts the chain.
  if (isForChain(req)) return next()
  res.redirect(302, loginPagePath(req.originalUrl))
}

function refuse(req: Request, res: Response, challenge: string): void {
  const page = isReading(req) ? req.originalUrl : '/'
  unauthenticated(res, isForChain(req) ? signInPath(page) : loginPagePath(page), challenge)
}

/** Resolves when the handler lets the request pass. */
async function settled(handler: RequestHandler, req: Request, res: Response): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  await handler(req, res, (error?: unknown) => (error ? reject(error as Error) : resolve()))
  await promise
}

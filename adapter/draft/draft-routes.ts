// The HTTP side of a test login, beside the live one and before it: its own two paths, and on the live callback only what
// carries a test's state. Sets one cookie of its own; reads no other.
import { Router, type Request, type Response } from 'express'
import { InteractionError } from '../errors.ts'
import { FORM, formPostToQuery } from '../interaction/form-post-answer.ts'
import { draftResultPage } from '../pages/draft-result-page.ts'
import {
  beginDraftLogin,
  finishDraftLogin,
  finishedTest,
  type CookiesOf,
  type DraftLoginParts,
} from './draft-login.ts'
import { resultView } from './result-view.ts'
import { isDraftState, TTL_SECONDS } from './draft-tests.ts'

const CALLBACK = '/login/oauth2/code/:upstream'

export function createDraftRoutes(parts: DraftLoginParts): Router {
  const isHttps = parts.issuer.startsWith('https:')
  const router = Router({ strict: true, caseSensitive: true })
  router.all('/oauth2/test/:id', async (request, response) => {
    onlyGet(request, response)
    const { id } = request.params
    const { location, browser } = await beginDraftLogin(parts, id, cookiesIn(request, isHttps))
    if (browser !== undefined) bindBrowser(parts, { response, id, browser, isHttps })
    response.redirect(302, location)
  })
  router.all('/oauth2/test/:id/result', (request, response) => {
    onlyGet(request, response)
    const test = finishedTest(parts, request.params.id, cookiesIn(request, isHttps))
    response.type('html').send(draftResultPage(resultView(test)))
  })
  router.post(
    CALLBACK,
    ({ params }, _response, next) =>
      next(parts.tests.expectsForm(params['upstream']) ? undefined : 'route'),
    FORM,
    (request, response, next) => {
      if (!isDraftState(String((request.body as { state?: unknown } | undefined)?.state)))
        return next()
      formPostToQuery(request, response)
    },
  )
  router.all(CALLBACK, async (request, response, next) => {
    const parameters = new URL(request.originalUrl, parts.issuer).searchParams
    const states = parameters.getAll('state')
    if (!states.some(isDraftState)) return next()
    onlyGet(request, response)
    const answer = { upstream: request.params.upstream, parameters }
    response.redirect(302, await finishDraftLogin(parts, answer, cookiesIn(request, isHttps)))
  })
  return router
}

/** A link checker's HEAD must not use up a test. */
function onlyGet({ method }: Request, response: Response): void {
  if (method === 'GET') return
  response.set('allow', 'GET')
  throw new InteractionError('method_not_allowed', `a step of a test login is a GET, not ${method}`)
}

const cookieName = (key: string, isHttps: boolean) =>
  `${isHttps ? '__Host-' : ''}AUTH_ADAPTER_TEST_${key}`

function cookiesIn({ headers }: Request, isHttps: boolean): CookiesOf {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split(/=(.*)/s))
  return (key) =>
    pairs.flatMap(([name, value = '']) => (name === cookieName(key, isHttps) ? [value] : []))
}

function bindBrowser(
  { tests }: DraftLoginParts,
  {
    response,
    id,
    browser,
    isHttps,
  }: { response: Response; id: string; browser: string; isHttps: boolean },
): void {
  response.cookie(cookieName(tests.find(id)?.key ?? '', isHttps), browser, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: isHttps,
    maxAge: TTL_SECONDS * 1000,
  })
}

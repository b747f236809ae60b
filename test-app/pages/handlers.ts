// The pages as request handlers: who is asking, which page, which status.
import type { NextFunction, Request, Response } from 'express'
import { isUnknown } from '../authentication/principal.ts'
import { signInPath } from '../login/paths.ts'
import type { SignInProblem } from '../login/sign-in.ts'
import type { SignInError } from '../relying-party/sign-in-error.ts'
import { homePage } from './home-page.ts'
import type { SignedOut } from './home-page.ts'
import { renderPage } from './layout.ts'
import type { AppFacts, Html } from './layout.ts'
import * as problems from './problem-page.ts'
import type { Problem } from './problem-page.ts'
import { halfSignedOutPage, notSignedInPage, signOutPage } from './sign-out-page.ts'
import { tokenPage } from './token-page.ts'
import { selectBranchPage } from './person/select-branch-page.ts'
import { frameJson, personJson, whoOf } from './person/who.ts'
import type { Who } from './person/who.ts'
import { formTokenOf } from '../session/current-session.ts'
import { SessionStoreError } from '../session/session-middleware.ts'

export interface PagesOptions {
  readonly app: AppFacts
  readonly discoveryUrl: string
  readonly now: () => number
}

type Send = (
  req: Request,
  res: Response,
  status: number,
  title: string,
  body: Html,
) => Promise<void>

export function createPages(options: PagesOptions) {
  const { app, now } = options
  const send: Send = async (req, res, status, title, body) => {
    const page = { title, body, path: req.path, who: whoOf(req, now()) }
    res
      .status(status)
      .type('html')
      .send(await renderPage(app, page))
  }
  return { ...ordinaryPages(options, send), ...problemPages(options, send), send }
}

function ordinaryPages({ app, now }: PagesOptions, send: Send) {
  return {
    async home(req: Request, res: Response, hasReturned: boolean): Promise<void> {
      const who = whoOf(req, now())
      const signedOut = hasReturned ? 'adapter' : signedOutHere(req.query['signed_out'])
      await send(req, res, 200, 'One sign-in, three processes', homePage({ app, who, signedOut }))
    },
    async token(req: Request, res: Response): Promise<void> {
      const who = whoOf(req, now()) as Who
      const asked = req.originalUrl
      const body = tokenPage({ app, who, asked, signInAgain: signInPath(asked), now: now() })
      await send(req, res, 200, `Hello, ${who.name}`, body)
    },
    me(req: Request, res: Response): void {
      res.json(personJson(whoOf(req, now()) as Who))
    },
    whoJson(req: Request, res: Response): void {
      res.json(frameJson(app.name, whoOf(req, now())))
    },
    selectBranch: (req: Request, res: Response) =>
      send(req, res, 200, 'Choose a branch', selectBranchPage()),
    async signOut(req: Request, res: Response): Promise<void> {
      // Whoever can not be known while the adapter is away has cookies that can be taken back all the same.
      const via = whoOf(req, now())?.via ?? (isUnknown(req) ? 'cookie' : undefined)
      if (!via) return send(req, res, 200, 'You are not signed in', notSignedInPage())
      await send(req, res, 200, 'Sign out', signOutPage(app, via, formTokenOf(req)))
    },
  }
}

const signedOutHere = (said: unknown): SignedOut | undefined =>
  said === 'here' || said === 'form' ? said : undefined

function problemPages({ app, discoveryUrl }: PagesOptions, send: Send) {
  // A page for a person, JSON for a program.
  async function show(
    req: Request,
    res: Response,
    { status, title, body }: Problem,
  ): Promise<void> {
    if (req.accepts(['html', 'json']) !== 'json') return send(req, res, status, title, body)
    res.status(status).json({ error: title })
  }
  return {
    forgedForm: (req: Request, res: Response) => show(req, res, problems.FORGED_FORM_PROBLEM),
    halfSignedOut: (req: Request, res: Response, error: SignInError | undefined) =>
      send(req, res, 503, 'Signed out here only', halfSignedOutPage(error && discoveryUrl)),
    signInProblem(req: Request, res: Response, problem: SignInProblem): Promise<void> {
      if (problem.kind !== 'failed') return send(req, res, ...parts(KNOWN_PROBLEMS[problem.kind]))
      const { error, returnTo } = problem
      const again = signInPath(returnTo)
      const shown = problems.failedSignInProblem({
        error,
        again,
        discoveryUrl,
        clientId: app.clientId,
      })
      if (shown.status === 503) res.set('Retry-After', '5')
      return send(req, res, ...parts(shown))
    },
    notFound: (req: Request, res: Response, _next: NextFunction) =>
      show(req, res, problems.NOT_FOUND_PROBLEM),
    failure(req: Request, res: Response, error: unknown): Promise<void> {
      const problem = problems.withRequestId(problemOf(error), res.get('X-Request-Id'))
      if (problem.status === 503) res.set('Retry-After', '2')
      return show(req, res, problem)
    },
  }
}

const KNOWN_PROBLEMS = {
  lost: problems.LOST_PROBLEM,
  cookies_blocked: problems.COOKIES_BLOCKED_PROBLEM,
  session_not_kept: problems.SESSION_NOT_KEPT_PROBLEM,
} as const

const parts = ({ status, title, body }: Problem) => [status, title, body] as const

function problemOf(error: unknown): Problem {
  if (error instanceof SessionStoreError) return problems.STORE_UNAVAILABLE_PROBLEM
  const status = (error as { status?: unknown } | undefined)?.status
  const isClientFault = typeof status === 'number' && status >= 400 && status < 500
  return isClientFault ? { ...problems.BAD_REQUEST_PROBLEM, status } : problems.UNEXPECTED_PROBLEM
}

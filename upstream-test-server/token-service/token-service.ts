// What the root's issuer serves beside its OAuth endpoints: their short names, /verify and, where switched on, /test-token.
import { Router } from 'express'
import type { ErrorRequestHandler } from 'express'
import type { Log } from '../../service/log.ts'
import { takeRequestIds } from '../identity/api/request-ids.ts'
import type { Issuer } from '../issuers/issuer.ts'
import type { UpstreamClient } from '../provider/provider.ts'
import { bodyFaultOf, readBody } from './requests/body-fields.ts'
import type { BodyError } from './requests/body-fields.ts'
import { answerFault } from './requests/json-answers.ts'
import { shortPaths } from './short-paths.ts'
import { testTokenRoute } from './test-token-route.ts'
import { verifyRoute } from './verify/verify-route.ts'

type Root = Pick<Issuer, 'issuer' | 'handler' | 'users' | 'scenario' | 'sessions' | 'authSessions'>

export interface TokenServiceOptions {
  issuer: Root
  clients: readonly UpstreamClient[]
  /** Whether anybody may have a token for anybody; default: no. */
  hasTestToken?: boolean | undefined
  log: Log
}

const audiencesOf = (clients: readonly UpstreamClient[]) => [
  ...new Set([
    ...clients.map(({ clientId }) => clientId),
    ...clients.flatMap(({ serviceAudiences = [] }) => serviceAudiences),
  ]),
]

const answerBodyFault: ErrorRequestHandler = (error: BodyError, _req, res, next) => {
  const fault = bodyFaultOf(error)
  if (fault) answerFault(res, fault)
  else next(error)
}

/** The accounts of programs do not sign in with a form, and have tokens all the same. */
function isPersonHere({ users, scenario }: Root, sub: string): boolean {
  const user = users.find(sub)
  const standing = user?.standing === 'SYSTEM' ? 'ACTIVE' : user?.standing
  return (
    user !== undefined &&
    standing === 'ACTIVE' &&
    scenario.people.able({ ...user, standing }) !== undefined
  )
}

/** Of a sign-in with the form, or at the identity service; a service has none. */
function isSessionOver({ sessions, authSessions }: Root, claims: Record<string, unknown>): boolean {
  const { sid, auth_session: authSession } = claims
  if (authSession !== undefined) return authSessions?.find(String(authSession)) === undefined
  if (sid === undefined) return false
  return !sessions.list().some(({ sids }) => Object.values(sids).includes(String(sid)))
}

export function createTokenService(options: TokenServiceOptions): Router {
  const { issuer: root, clients, hasTestToken = false, log } = options
  const { issuer, users, scenario } = root
  const services = new Set(
    clients.filter((client) => client.serviceAudiences).map((client) => client.clientId),
  )
  const isHere = ({ sub, client_id: clientId }: Record<string, unknown>) =>
    (sub === clientId && services.has(String(sub))) || isPersonHere(root, String(sub))
  const { keys, clock } = scenario
  const judge = {
    issuer,
    publishedKeys: keys.published,
    now: clock.now,
    isHere,
    isSessionOver: isSessionOver.bind(undefined, root),
  }
  const router = Router({ caseSensitive: true, strict: true })
  router.post('/verify', takeRequestIds, readBody, verifyRoute(judge, log), answerBodyFault)
  if (hasTestToken) {
    const audiences = audiencesOf(clients)
    router.get(
      '/test-token',
      takeRequestIds,
      testTokenRoute({ issuer, users, scenario, audiences, log }),
    )
  }
  router.use(shortPaths(root.handler))
  return router
}

// What the root's issuer serves beside its OAuth endpoints: their short names, /verify and, where switched on, /test-token.
import { Router } from 'express'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import type { Log } from '../../service/log.ts'
import type { Scenario } from '../behaviour/scenario.ts'
import type { Users } from '../people/users.ts'
import type { UpstreamClient } from '../provider/provider.ts'
import { bodyFaultOf, readBody } from './requests/body-fields.ts'
import type { BodyError } from './requests/body-fields.ts'
import { answerFault } from './requests/json-answers.ts'
import { shortPaths } from './short-paths.ts'
import { testTokenRoute } from './test-token-route.ts'
import { verifyRoute } from './verify/verify-route.ts'

export interface TokenServiceOptions {
  issuer: { issuer: string; handler: RequestHandler; users: Users; scenario: Scenario }
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
function isPersonHere({ users, scenario }: TokenServiceOptions['issuer'], sub: string): boolean {
  const user = users.find(sub)
  const standing = user?.standing === 'SYSTEM' ? 'ACTIVE' : user?.standing
  return (
    user !== undefined &&
    standing === 'ACTIVE' &&
    scenario.people.able({ ...user, standing }) !== undefined
  )
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
  const judge = { issuer, publishedKeys: keys.published, now: clock.now, isHere }
  const router = Router({ caseSensitive: true, strict: true })
  router.post('/verify', readBody, verifyRoute(judge, log), answerBodyFault)
  if (hasTestToken) {
    const audiences = audiencesOf(clients)
    router.get('/test-token', testTokenRoute({ issuer, users, scenario, audiences, log }))
  }
  router.use(shortPaths(root.handler))
  return router
}

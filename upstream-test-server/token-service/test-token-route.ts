// GET /test-token: a token for trying out a service without a sign-in. Whoever reaches it is whomever they like, so it is
// there only when switched on, and never in production: environment.ts refuses that.
import { randomUUID } from 'node:crypto'
import type { RequestHandler } from 'express'
import type { Log } from '../../service/log.ts'
import type { Scenario } from '../behaviour/scenario.ts'
import { signToken } from '../behaviour/tokens/sign-token.ts'
import type { Users } from '../people/users.ts'
import { answerFault, invalidFields } from './requests/json-answers.ts'

export const testTokenSeconds = 5 * 60

export interface TestTokenOptions {
  issuer: string
  users: Users
  scenario: Scenario
  /** Whom tokens of this issuer may be for; the first where none is asked for. */
  audiences: readonly string[]
  log: Log
}

type Query = Readonly<Record<string, unknown>>

const allowed = new Set(['sub', 'aud'])

function claimsFor({ issuer, users, scenario, audiences }: TestTokenOptions, query: Query) {
  const { sub = 'testuser', aud = audiences[0] } = query
  const user = typeof sub === 'string' ? scenario.people.able(users.find(sub)) : undefined
  const faults = {
    ...(Object.keys(query).some((name) => !allowed.has(name)) && {
      query: 'expected sub and aud only',
    }),
    ...(!user && { sub: 'expected the sub of a person who may sign in here' }),
    ...(!audiences.includes(aud as string) && { aud: 'expected a client or service known here' }),
  }
  if (!user || Object.keys(faults).length > 0) return { faults }
  const { username: preferred_username, name, roles } = user
  const iat = Math.floor(scenario.clock.now() / 1000)
  const times = { iat, exp: iat + testTokenSeconds, jti: randomUUID() }
  return { claims: { iss: issuer, sub: user.sub, aud, preferred_username, name, roles, ...times } }
}

export function testTokenRoute(options: TestTokenOptions): RequestHandler {
  return (req, res) => {
    const made = claimsFor(options, req.query)
    if ('faults' in made) return answerFault(res, invalidFields(made.faults))
    const { claims } = made
    options.log.warn('test_token.issued', { sub: claims.sub, aud: claims.aud })
    const token = signToken({ header: { typ: 'JWT' }, claims }, options.scenario.keys.active())
    res.set('Cache-Control', 'no-store')
    res.json({ token, token_type: 'Bearer', expires_in: testTokenSeconds })
  }
}

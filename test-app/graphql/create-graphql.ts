// /graphql, put together.
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { judgeRequest, readQuery } from './http/accept-request.ts'
import { createBranchChoices } from './login/branch-choices.ts'
import type { BranchChoiceOptions } from './login/branch-choices.ts'
import { createGraphqlHandler } from './http/graphql-handler.ts'
import { createLoginEvents } from './login/login-events.ts'
import { createLoginMutations } from './login/login-mutations.ts'
import type { LoginMutationOptions } from './login/login-mutations.ts'
import { createResolvers } from './resolvers.ts'
import { createSessionMutations } from './login/session-mutations.ts'
import type { SessionMutationOptions } from './login/session-mutations.ts'
import { createWayOut } from './login/way-out.ts'
import type { WayOutOptions } from './login/way-out.ts'

type Made = 'branchChoices' | 'wayOut' | 'events'

export interface GraphqlParts
  extends
    Omit<BranchChoiceOptions, 'records'>,
    Omit<LoginMutationOptions, Made>,
    Omit<SessionMutationOptions, Made>,
    Omit<WayOutOptions, Made> {
  readonly tokenLogins: LoginMutationOptions['tokenLogins'] & SessionMutationOptions['tokenLogins']
  readonly identity: LoginMutationOptions['identity']
  /** Public origin of this app. */
  readonly url: string
  readonly store: { readonly records: BranchChoiceOptions['records'] }
  /** Tools may ask for the schema; by default they may not. */
  readonly isOpenForTools?: boolean | undefined
}

export interface Graphql {
  /** For every method, before the gate. */
  readonly judge: RequestHandler
  /** Handlers of a POST, in their order. */
  readonly answer: readonly (RequestHandler | ErrorRequestHandler)[]
}

export function createGraphql(parts: GraphqlParts): Graphql {
  const { log, isOpenForTools = false, url, store } = parts
  const branchChoices = createBranchChoices({ ...parts, records: store.records })
  const wayOut = createWayOut({ ...parts, branchChoices })
  const made = { ...parts, branchChoices, wayOut, events: createLoginEvents(parts) }
  const resolvers = createResolvers({
    branchChoices,
    mutations: { ...createLoginMutations(made), ...createSessionMutations(made) },
  })
  const handler = createGraphqlHandler({ resolvers, log, isOpenForTools })
  return { judge: judgeRequest(url), answer: [...readQuery, handler] }
}

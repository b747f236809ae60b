// GraphQL over HTTP, for Express: the schema, its resolvers, and what nobody may learn of a failure.
import type { Request, RequestHandler, Response } from 'express'
import { GraphQLError } from 'graphql'
import type { Log } from '../../../service/log.ts'
import { limitQueries } from '../limits/limit-queries.ts'
import type { Resolvers } from '../resolvers.ts'
import { TYPE_DEFINITIONS } from '../schema.ts'
import { createSchema, createYoga } from './yoga.ts'

export const GRAPHQL_PATH = '/graphql'

/** What each resolver gets. */
export interface Asked {
  readonly req: Request
  readonly res: Response
}

export interface GraphqlOptions {
  readonly resolvers: Resolvers
  readonly log: Log
  /** For tools: the schema may be asked for. Never in production. */
  readonly isOpenForTools: boolean
}

export function createGraphqlHandler(options: GraphqlOptions): RequestHandler {
  const { resolvers, log, isOpenForTools } = options
  const yoga = createYoga({
    schema: createSchema({ typeDefs: TYPE_DEFINITIONS, resolvers }),
    plugins: [limitQueries({ isOpenForTools })],
    graphqlEndpoint: GRAPHQL_PATH,
    maskedErrors: { isDev: false, maskError: (error) => masked(error, log) },
    // It would keep queries, and with them passwords of those who write them there.
    parserAndValidationCache: false,
    // Matches no address: it would answer to /graphql?/health.
    healthCheckEndpoint: ' ',
    logging: false,
    graphiql: false,
    landingPage: false,
    batching: false,
    multipart: false,
    cors: false,
  })
  return (req, res) => yoga(req, res, { req, res } satisfies Asked)
}

/** Errors with a code are meant to be read; of all others the client learns that there was one. */
function masked(error: unknown, log: Log): GraphQLError {
  const said = error instanceof GraphQLError ? error : undefined
  if (said?.extensions['code'] !== undefined) return said
  // Found before any field was resolved: a variable that does not fit.
  if (said && said.path === undefined) return refused(said.message, 'BAD_USER_INPUT', 400)
  log.error('graphql.failed', { error: said?.originalError ?? error, path: said?.path?.join('.') })
  return refused('Something went wrong here.', 'INTERNAL_ERROR', 500)
}

const refused = (message: string, code: string, status: number): GraphQLError =>
  new GraphQLError(message, { extensions: { code, http: { status } } })

// graphql-yoga, as far as it is used here, with types of ours: its own make those of browsers (lib.dom) known in every file of
// the project, where `name` and `status` would then be variables.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { DocumentNode, GraphQLError, GraphQLSchema, validate } from 'graphql'

/** https://the-guild.dev/graphql/yoga-server/docs/features/envelop-plugins */
export interface YogaPlugin {
  onParse(hook: { setParseFn(parse: (source: string) => DocumentNode): void }): void
  onValidate(hook: { setValidationFn(validating: typeof validate): void }): void
  onResultProcess(hook: { readonly result: object }): void
}

interface YogaOptions {
  readonly schema: GraphQLSchema
  readonly plugins: readonly YogaPlugin[]
  readonly graphqlEndpoint: string
  readonly healthCheckEndpoint: string
  readonly maskedErrors: { readonly isDev: boolean; maskError(error: unknown): GraphQLError }
  readonly parserAndValidationCache: boolean
  readonly logging: boolean
  readonly graphiql: boolean
  readonly landingPage: boolean
  readonly batching: boolean
  readonly multipart: boolean
  readonly cors: boolean
}

interface Yoga {
  createSchema(options: { readonly typeDefs: string; readonly resolvers: object }): GraphQLSchema
  /** A handler; the last argument is what resolvers get. */
  createYoga(
    options: YogaOptions,
  ): (req: IncomingMessage, res: ServerResponse, context: object) => Promise<void>
}

// Not a literal type, so that the compiler does not look the package up.
const NAME: string = 'graphql-yoga'

export const { createSchema, createYoga } = (await import(NAME)) as Yoga

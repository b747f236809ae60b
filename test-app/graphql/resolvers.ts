// Who answers which field.
import type { Request } from 'express'
import { GraphQLError } from 'graphql'
import { isUnknown, principalOf } from '../authentication/principal.ts'
import type { Principal } from '../authentication/principal.ts'
import { LOGIN_PAGE_PATH } from '../authentication/gate/login-page-path.ts'
import { branchChoice, meOf } from './answers.ts'
import type { BranchChoice, Me } from './answers.ts'
import type { BranchChoices } from './login/branch-choices.ts'
import type { Asked } from './http/graphql-handler.ts'
import type { LoginMutations } from './login/login-mutations.ts'
import { ADAPTER_UNAVAILABLE } from './refusals.ts'
import type { SessionMutations } from './login/session-mutations.ts'

type Resolve<Result, Args = object> = (parent: unknown, args: Args, asked: Asked) => Result

export interface Resolvers {
  readonly Query: {
    readonly me: Resolve<Me>
    readonly clients: Resolve<readonly string[]>
    readonly branchChoice: Resolve<Promise<BranchChoice | null>>
  }
  readonly Mutation: LoginMutations & SessionMutations
}

export interface ResolverOptions {
  readonly branchChoices: BranchChoices
  readonly mutations: Resolvers['Mutation']
}

export const createResolvers = ({ branchChoices, mutations }: ResolverOptions): Resolvers => ({
  Query: {
    me: (_parent, _args, { req }) => meOf(required(req)),
    clients: (_parent, _args, { req }) => required(req).clients,
    async branchChoice(_parent, _args, { req }) {
      const choice = await branchChoices.find(req)
      if (choice === undefined || choice === 'made') return null
      return branchChoice(choice.login.branches, choice.expiresAt)
    },
  },
  Mutation: mutations,
})

/** @throws {GraphQLError} 401, or 503 where it can not be found out */
function required(req: Request): Principal {
  const principal = principalOf(req)
  if (principal) return principal
  throw isUnknown(req) ? adapterAway() : nobody()
}

const nobody = (): GraphQLError =>
  new GraphQLError('Nobody is signed in.', {
    extensions: {
      code: 'UNAUTHENTICATED',
      login_url: LOGIN_PAGE_PATH,
      http: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
    },
  })

const adapterAway = (): GraphQLError =>
  new GraphQLError(ADAPTER_UNAVAILABLE.message, {
    extensions: { code: ADAPTER_UNAVAILABLE.code, http: { status: 503 } },
  })

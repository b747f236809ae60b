// The answers of the schema as values.
import type { Principal } from '../authentication/principal.ts'
import type { Branch } from '../identity/identity-service.ts'

export interface Me {
  readonly subject: string
  readonly name: string | undefined
  readonly username: string | undefined
  readonly authorities: readonly string[]
  readonly scopes: readonly string[]
  readonly clients: readonly string[]
  readonly via: 'SESSION' | 'COOKIE' | 'BEARER'
  readonly expiresAt: string
}

export interface SignedIn {
  readonly __typename: 'SignedIn'
  readonly code: 'SIGNED_IN'
  readonly message: string
  readonly me: Me
}

export interface BranchChoice {
  readonly __typename: 'BranchChoice'
  readonly code: 'SELECT_BRANCH'
  readonly message: string
  readonly branches: readonly Branch[]
  readonly redirectTo: string
  readonly expiresAt: string
}

export interface SignedOut {
  readonly __typename: 'SignedOut'
  readonly code: 'SIGNED_OUT'
  readonly message: string
}

export interface Refusal {
  readonly __typename: 'Refusal'
  readonly code: string
  readonly message: string
  readonly fields: readonly { readonly field: string; readonly message: string }[]
  readonly retryAfterSeconds?: number | undefined
  readonly requestId: string | undefined
}

export const SELECT_BRANCH_PATH = '/select-branch'

export function meOf(principal: Principal): Me {
  const { claims, clients, expiresAt, subject, via } = principal
  return {
    subject,
    name: text(claims['name']),
    username: text(claims['preferred_username']),
    authorities: texts(claims['authorities']),
    scopes: text(claims['scope'])?.split(' ').filter(Boolean) ?? [],
    clients,
    via: WAYS[via],
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

const WAYS = { session: 'SESSION', cookie: 'COOKIE', bearer: 'BEARER' } as const

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

export const signedIn = (principal: Principal): SignedIn => ({
  __typename: 'SignedIn',
  code: 'SIGNED_IN',
  message: 'You are signed in.',
  me: meOf(principal),
})

export const signedOut = (message: string): SignedOut => ({
  __typename: 'SignedOut',
  code: 'SIGNED_OUT',
  message,
})

export function branchChoice(branches: readonly Branch[], expiresAt: number): BranchChoice {
  return {
    __typename: 'BranchChoice',
    code: 'SELECT_BRANCH',
    message: 'Choose the branch to work in.',
    branches,
    redirectTo: SELECT_BRANCH_PATH,
    expiresAt: new Date(expiresAt).toISOString(),
  }
}

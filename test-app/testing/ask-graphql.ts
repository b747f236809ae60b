// What a page's script asks at /graphql, for tests.
import type { IncomingHttpHeaders } from 'node:http'
import type { TestBrowser, Visit } from './browser.ts'

export interface GraphqlAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Of the one field that was asked for. */
  readonly result: Readonly<Record<string, unknown>>
  readonly errors: readonly { readonly message: string; readonly extensions: object }[]
}

const RESULT = `__typename ... on Result { code message }
  ... on SignedIn { me { subject name username authorities scopes clients via expiresAt } }
  ... on Refusal { fields { field message } retryAfterSeconds requestId }`

const QUERIES = {
  login: `mutation ($email: String!, $password: String!) {
    login(email: $email, password: $password) {
      ${RESULT}
      ... on BranchChoice { branches { id workspaceId name roles } redirectTo expiresAt }
    }
  }`,
  selectBranch: `mutation ($branchId: ID!) { selectBranch(branchId: $branchId) { ${RESULT} } }`,
  refresh: `mutation { refresh { ${RESULT} } }`,
  logout: 'mutation { logout { __typename ... on Result { code message } } }',
  me: '{ me { subject name username authorities scopes clients via expiresAt } }',
  clients: '{ clients }',
  branchChoice: '{ branchChoice { code branches { id name } redirectTo expiresAt } }',
} as const

export type GraphqlField = keyof typeof QUERIES

export async function askGraphql(
  browser: Pick<TestBrowser, 'open'>,
  appUrl: string,
  field: GraphqlField,
  variables: Readonly<Record<string, string>> = {},
  visit: Visit = {},
): Promise<GraphqlAnswer> {
  const json = { query: QUERIES[field], variables }
  const { status, headers, text } = await browser.open(`${appUrl}/graphql`, { ...visit, json })
  const { data, errors = [] } = (text.startsWith('{') ? JSON.parse(text) : {}) as {
    data?: Record<string, Record<string, unknown>> | null
    errors?: GraphqlAnswer['errors']
  }
  return { status, headers, text, result: data?.[field] ?? {}, errors }
}

// What can be asked at /graphql, and what comes back. Says nothing of how it is done.

export const TYPE_DEFINITIONS = /* GraphQL */ `
  type Query {
    "Who asks. 401 for nobody."
    me: Me!
    "The clients that the token of this request speaks for: the one it was issued to, and its audience. 401 for nobody."
    clients: [String!]!
    "The branches that this browser may choose from, between login and selectBranch; else null."
    branchChoice: BranchChoice
  }

  "One field for each operation."
  type Mutation {
    "Signs in with the identity service. Answers with cookies, or with branches to choose from."
    login(email: String!, password: String!): LoginResult!
    "Finishes a login of somebody who is in several branches, within ten minutes and in the same browser."
    selectBranch(branchId: ID!): SelectBranchResult!
    "Renews the cookies of /login.html. At most one refresh runs at a time, for any number of requests."
    refresh: RefreshResult!
    "Signs this browser out of this app, and at the identity service where it signed in there. Also for nobody."
    logout: LogoutResult!
  }

  union LoginResult = SignedIn | BranchChoice | Refusal
  union SelectBranchResult = SignedIn | Refusal
  union RefreshResult = SignedIn | Refusal
  union LogoutResult = SignedOut | Refusal

  interface Result {
    "For programs: SIGNED_IN, SELECT_BRANCH, SIGNED_OUT, or why not."
    code: String!
    "For people."
    message: String!
  }

  type SignedIn implements Result {
    code: String!
    message: String!
    me: Me!
  }

  type BranchChoice implements Result {
    code: String!
    message: String!
    branches: [Branch!]!
    "The page to choose on: a path of this app."
    redirectTo: String!
    "ISO 8601."
    expiresAt: String!
  }

  type SignedOut implements Result {
    code: String!
    message: String!
  }

  "Nothing was changed, unless the message says so."
  type Refusal implements Result {
    code: String!
    message: String!
    "What is wrong with single arguments."
    fields: [FieldFault!]!
    "How long to wait, where waiting helps."
    retryAfterSeconds: Int
    "Finds this request in the log."
    requestId: String
  }

  type FieldFault {
    field: String!
    message: String!
  }

  type Branch {
    id: ID!
    workspaceId: ID!
    name: String!
    roles: [String!]!
  }

  type Me {
    subject: ID!
    name: String
    username: String
    authorities: [String!]!
    scopes: [String!]!
    clients: [String!]!
    via: Way!
    "When the access token expires; ISO 8601."
    expiresAt: String!
  }

  "Where the token of this request was."
  enum Way {
    "The session of the browser chain."
    SESSION
    "The cookies of /login.html."
    COOKIE
    "The Authorization header."
    BEARER
  }
`

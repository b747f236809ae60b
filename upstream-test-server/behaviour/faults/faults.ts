// Which misbehaviour is switched on, and for how many answers. Knows nothing of HTTP; empty means strict.

export const endpointPaths = {
  discovery: '/.well-known/openid-configuration',
  jwks: '/oauth2/jwks',
  authorize: '/oauth2/authorize',
  token: '/oauth2/token',
  userinfo: '/userinfo',
} as const

export type Endpoint = keyof typeof endpointPaths

/** Where they are at an issuer in the shape of GitHub. */
export const githubPaths: Readonly<Record<string, Endpoint>> = {
  '/login/oauth/authorize': 'authorize',
  '/login/oauth/access_token': 'token',
  '/user': 'userinfo',
}

export type EndpointFault =
  | { kind: 'status'; status: number }
  /** At authorize: goes back to the client with the error. */
  | { kind: 'oauth_error'; error: string }
  /** The right answer, late. */
  | { kind: 'delay'; milliseconds: number }
  /** The connection ends without an answer. */
  | { kind: 'drop' }
  /** The connection ends within the body. */
  | { kind: 'truncated' }
  | { kind: 'content_type'; contentType: string }
  | { kind: 'oversized'; bytes: number }

export const plainTokenFaults = [
  'bad_signature',
  'unknown_kid',
  'alg_none',
  'alg_hs256',
  'wrong_iss',
  'wrong_aud',
  'wrong_azp',
  'wrong_nonce',
  'expired',
  'future_iat',
] as const

export type IdTokenFault =
  | { kind: (typeof plainTokenFaults)[number] }
  | { kind: 'missing_claim'; claim: string }

/** What is wrong with the next ID token, or with the next answer of userinfo. */
export type TokenFault = IdTokenFault | { kind: 'other_sub_at_userinfo' }

export interface ArmedEndpointFault {
  endpoint: Endpoint
  fault: EndpointFault
  times: number
  /** Only for who signed in by this name, at token and userinfo: what was asked is done, its answer goes wrong. */
  username?: string
}

/** Where it is known whose request it is. */
export const personalEndpoints: readonly Endpoint[] = ['token', 'userinfo']

export interface ArmedTokenFault {
  fault: TokenFault
  times: number
  /** Only for who signed in by this name; others do not use it up. */
  username?: string
}

export interface Faults {
  armEndpoint(armed: ArmedEndpointFault): void
  armToken(armed: ArmedTokenFault): void
  /** Uses one up; the first that was switched on comes first. */
  takeEndpoint(endpoint: Endpoint): EndpointFault | undefined
  /** Those bound to this person only. */
  takeEndpointOf(endpoint: Endpoint, username: string): EndpointFault | undefined
  takeIdToken(username: string | undefined): IdTokenFault | undefined
  takeOtherSub(username: string | undefined): boolean
  armed(): { endpoints: ArmedEndpointFault[]; tokens: ArmedTokenFault[] }
  reset(): void
}

function createQueue<Entry extends { times: number }>() {
  let entries: Entry[] = []
  return {
    add: (entry: Entry) => void entries.push({ ...entry }),
    take(fits: (entry: Entry) => boolean): Entry | undefined {
      const taken = entries.find(fits)
      if (!taken) return undefined
      taken.times -= 1
      entries = entries.filter(({ times }) => times > 0)
      return taken
    },
    all: () => entries.map((entry) => ({ ...entry })),
    clear: () => void (entries = []),
  }
}

/** Login names that go wrong without any switch, for people who click through a demo. */
const endpointFaultsOf: Readonly<Record<string, ArmedEndpointFault>> = {
  'token-down': { endpoint: 'token', fault: { kind: 'status', status: 503 }, times: 1 },
}
const tokenFaultsOf: Readonly<Record<string, IdTokenFault>> = {
  'bad-signature': { kind: 'bad_signature' },
}

const endpointFaultFromTheStart = (endpoint: Endpoint, username: string) => {
  const own = Object.hasOwn(endpointFaultsOf, username) ? endpointFaultsOf[username] : undefined
  return own?.endpoint === endpoint ? own.fault : undefined
}

const tokenFaultFromTheStart = (username = '') =>
  Object.hasOwn(tokenFaultsOf, username) ? tokenFaultsOf[username] : undefined

export function createFaults(): Faults {
  const endpoints = createQueue<ArmedEndpointFault>()
  const tokens = createQueue<ArmedTokenFault>()
  const takeToken = (atUserinfo: boolean, person: string | undefined) =>
    tokens.take(
      ({ fault, username }) =>
        (fault.kind === 'other_sub_at_userinfo') === atUserinfo &&
        (username === undefined || username === person),
    )?.fault
  return {
    armEndpoint: endpoints.add,
    armToken: tokens.add,
    takeEndpoint: (endpoint) =>
      endpoints.take((entry) => entry.endpoint === endpoint && entry.username === undefined)?.fault,
    takeEndpointOf: (endpoint, person) =>
      endpoints.take((entry) => entry.endpoint === endpoint && entry.username === person)?.fault ??
      endpointFaultFromTheStart(endpoint, person),
    takeIdToken: (person) =>
      (takeToken(false, person) as IdTokenFault | undefined) ?? tokenFaultFromTheStart(person),
    takeOtherSub: (person) => takeToken(true, person) !== undefined,
    armed: () => ({ endpoints: endpoints.all(), tokens: tokens.all() }),
    reset() {
      endpoints.clear()
      tokens.clear()
    },
  }
}

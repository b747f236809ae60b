// Switches one issuer's misbehaviour from a test, over HTTP.
import type { AuthenticationValues } from './behaviour/sign-in/authentication.ts'
import type { RefreshValues } from './behaviour/refresh.ts'
import type { Refusal } from './behaviour/sign-in/refusals.ts'
import type { KeyRing, Rotation } from './behaviour/tokens/key-ring.ts'
import type { LogoutTokenDelivery, LogoutTokenOrder } from './behaviour/tokens/logout-token.ts'
import type {
  ArmedTokenFault,
  Endpoint,
  EndpointFault,
  TokenFault,
} from './behaviour/faults/faults.ts'
import type { JournalEntry, JournalFilter } from './behaviour/faults/journal.ts'
import type { NewIssuer } from './control/issuer-routes.ts'
import type { Person } from './control/commands/read-person.ts'
import type { SignedIn } from './people/sessions.ts'

export type KnownPerson = Person & { username: string }
export type Kids = ReturnType<KeyRing['kids']>

interface Times {
  /** Default: 1. */
  times?: number
  /** Only for who signed in by this name; others do not use it up. */
  username?: string
}

export interface ClockReading {
  offsetSeconds: number
  /** ISO 8601. */
  now: string
}

interface FaultClient {
  /** The next answers of the endpoint go wrong; with `username`, of token and userinfo, only that person's. */
  failNext(endpoint: Endpoint, fault: EndpointFault, options?: Times): Promise<void>
  /** The next ID tokens, or answers of userinfo, go wrong. */
  corruptNext(
    fault: TokenFault,
    options?: Partial<Pick<ArmedTokenFault, 'times' | 'username'>>,
  ): Promise<void>
  /** The next people are refused with `error`, default `access_denied`. */
  refuseNext(at: Refusal['at'], options?: Times & { error?: string }): Promise<void>
}

interface JournalClient {
  /** Answered requests, oldest first. */
  requests(filter?: JournalFilter): Promise<JournalEntry[]>
  /** The first that fits, also one from before. Rejects when none comes within `milliseconds`, default 5000. */
  waitForRequest(filter: JournalFilter, milliseconds?: number): Promise<JournalEntry>
}

interface TimeAndKeysClient {
  /** `offsetSeconds` ahead of the system's clock, or behind it. */
  setClock(offsetSeconds: number): Promise<ClockReading>
  advance(seconds: number): Promise<ClockReading>
  keys(): Promise<Kids>
  /** The next signing key stands in the JWKS and is not in use yet. */
  publishNextKey(): Promise<Kids>
  /** Default: to a key that nobody has seen; the old one stays in the JWKS. */
  rotateKeys(rotation?: Partial<Rotation>): Promise<Kids>
}

interface PeopleClient {
  people(): Promise<KnownPerson[]>
  person(username: string): Promise<KnownPerson>
  /** Says the whole person; what is left out gets its default. */
  putPerson(username: string, person?: Person): Promise<KnownPerson>
  removePerson(username: string): Promise<void>
  /** Sessions and tokens of the person stop at once, and nobody signs in by that name. */
  disablePerson(username: string): Promise<void>
  enablePerson(username: string): Promise<void>
  /** Codes and tokens of the person stop; the session goes on. */
  revokeGrants(username: string): Promise<void>
  sessions(): Promise<(SignedIn & { username?: string })[]>
}

interface RulesClient {
  setRefresh(rules: Partial<RefreshValues>): Promise<RefreshValues>
  setAuthentication(rules: Partial<AuthenticationValues>): Promise<AuthenticationValues>
  sendLogoutToken(order: LogoutTokenOrder): Promise<LogoutTokenDelivery>
  /** Strict again, with an empty journal; people and keys stay as they are. */
  reset(): Promise<void>
}

interface IssuersClient {
  /** A fresh issuer at `/<key>`, in place of one that was there; its URL and its client. */
  createIssuer(key: string, setup: NewIssuer): Promise<MadeIssuer>
}

export interface MadeIssuer {
  key: string
  issuer: string
  clientId: string
  clientSecret: string
}

export type ControlClient = IssuersClient &
  FaultClient &
  JournalClient &
  TimeAndKeysClient &
  PeopleClient &
  RulesClient

function queryOf(filter: JournalFilter, milliseconds: number): string {
  const query = new URLSearchParams({ wait_ms: String(milliseconds) })
  for (const [name, value] of Object.entries(filter)) query.set(name, String(value))
  return query.toString()
}

type Send = <Answer>(command: string, body?: object) => Promise<Answer>

/** `command` is method and path, as in `PUT /clock`. */
function sender(url: string, key: string | undefined): Send {
  const base = key === undefined || key === '' ? '' : `/issuers/${key}`
  return async <Answer>(command: string, body?: object) => {
    const [method = '', path = ''] = command.split(' ')
    const headers = { 'content-type': 'application/json', connection: 'close' }
    const init =
      body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) }
    const response = await fetch(new URL(`${base}${path}`, url), init)
    const answer = (await response.json()) as { error?: string }
    if (!response.ok) throw new Error(`control ${command}: ${response.status} ${answer.error}`)
    return answer as Answer
  }
}

const user = (username: string) => `/users/${encodeURIComponent(username)}`

function faultClient(send: Send): FaultClient {
  return {
    failNext: async (endpoint, fault, options = {}) => {
      await send('POST /faults', { endpoint, fault, ...options })
    },
    corruptNext: async (fault, options = {}) => {
      await send('POST /token-faults', { fault, ...options })
    },
    refuseNext: async (at, options = {}) => {
      await send('POST /refusals', { at, ...options })
    },
  }
}

function journalClient(send: Send): JournalClient {
  const journal = async (filter: JournalFilter, milliseconds: number) => {
    const query = queryOf(filter, milliseconds)
    return (await send<{ requests: JournalEntry[] }>(`GET /requests?${query}`)).requests
  }
  return {
    requests: (filter = {}) => journal(filter, 0),
    async waitForRequest(filter, milliseconds = 5000) {
      const [first] = await journal(filter, milliseconds)
      if (first) return first
      throw new Error(`no request within ${milliseconds} ms: ${JSON.stringify(filter)}`)
    },
  }
}

const timeAndKeysClient = (send: Send): TimeAndKeysClient => ({
  setClock: (offsetSeconds) => send('PUT /clock', { offsetSeconds }),
  advance: (seconds) => send('POST /clock/advance', { seconds }),
  keys: () => send('GET /keys'),
  publishNextKey: () => send('POST /keys/next'),
  rotateKeys: (rotation = {}) => send('POST /keys/rotate', rotation),
})

function peopleClient(send: Send): PeopleClient {
  const change = async (command: string) => {
    await send(command)
  }
  return {
    people: async () => (await send<{ users: KnownPerson[] }>('GET /users')).users,
    person: (username) => send(`GET ${user(username)}`),
    putPerson: (username, person = {}) => send(`PUT ${user(username)}`, person),
    removePerson: (username) => change(`DELETE ${user(username)}`),
    disablePerson: (username) => change(`POST ${user(username)}/disable`),
    enablePerson: (username) => change(`POST ${user(username)}/enable`),
    revokeGrants: (username) => change(`DELETE ${user(username)}/grants`),
    sessions: async () => (await send<{ sessions: SignedIn[] }>('GET /sessions')).sessions,
  }
}

const rulesClient = (send: Send): RulesClient => ({
  setRefresh: (rules) => send('PUT /refresh', rules),
  setAuthentication: (rules) => send('PUT /authentication', rules),
  sendLogoutToken: (order) => send('POST /logout-tokens', order),
  reset: async () => {
    await send('POST /reset')
  },
})

export interface ControlClientOptions {
  /** Key of the issuer; default: the one at the root. */
  issuer?: string
}

/** `url` of the control listener. Every call rejects with what the server expected when it refuses. */
export function createControlClient(
  url: string,
  { issuer }: ControlClientOptions = {},
): ControlClient {
  const send = sender(url, issuer)
  return {
    createIssuer: (key, setup) => sender(url, undefined)(`PUT /issuers/${key}`, setup),
    ...faultClient(send),
    ...journalClient(send),
    ...timeAndKeysClient(send),
    ...peopleClient(send),
    ...rulesClient(send),
  }
}

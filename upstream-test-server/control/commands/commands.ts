// Every command of the control listener for one issuer, by method and path: what it reads, does and answers.
import { refreshIssued, refreshModes } from '../../behaviour/refresh.ts'
import type { RefreshValues } from '../../behaviour/refresh.ts'
import { saidOf } from '../../behaviour/sign-in/authentication.ts'
import type { AuthenticationValues } from '../../behaviour/sign-in/authentication.ts'
import { refusalPlaces } from '../../behaviour/sign-in/refusals.ts'
import type { Refusal } from '../../behaviour/sign-in/refusals.ts'
import type { Rotation } from '../../behaviour/tokens/key-ring.ts'
import { logoutTokenFaults } from '../../behaviour/tokens/logout-token.ts'
import type { LogoutTokenOrder, LogoutTokens } from '../../behaviour/tokens/logout-token.ts'
import type { Issuer } from '../../issuers/issuer.ts'
import type { User } from '../../people/users.ts'
import {
  CommandError,
  readEndpointFault,
  readJournalQuery,
  readTokenFault,
} from './read-command.ts'
import {
  booleanField,
  numberField,
  oneOf,
  readFields,
  required,
  someTextsField,
  textField,
} from './read-fields.ts'
import type { FieldsOf } from './read-fields.ts'
import { readPerson, shownPerson } from './read-person.ts'

export interface Call {
  issuer: Issuer
  body: unknown
  query: Record<string, unknown>
  /** The `:name` of the path. */
  name: string
}

export type Command = (call: Call) => unknown

const farSeconds = 20 * 365 * 24 * 60 * 60
const times = numberField(1, 1000)
const said = oneOf(saidOf)

const clockFields: FieldsOf<{ offsetSeconds: number }> = {
  offsetSeconds: required(numberField(-farSeconds, farSeconds)),
}
const advanceFields: FieldsOf<{ seconds: number }> = {
  seconds: required(numberField(-farSeconds, farSeconds)),
}
const rotationFields: FieldsOf<Partial<Rotation>> = {
  publishFirst: booleanField,
  old: oneOf(['retained', 'withdrawn']),
}
const refreshFields: FieldsOf<Partial<RefreshValues>> = {
  mode: oneOf(refreshModes),
  issued: oneOf(refreshIssued),
}
const authenticationFields: FieldsOf<Partial<AuthenticationValues>> = {
  acr: said,
  amr: said,
  authTime: said,
  levels: someTextsField,
}
const refusalFields: FieldsOf<Partial<Refusal> & Pick<Refusal, 'at'>> = {
  at: required(oneOf(refusalPlaces)),
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2.1
  error: {
    expected: 'an error code',
    fits: (v) => typeof v === 'string' && /^[a-z_]{1,60}$/.test(v),
  },
  times,
  username: textField,
}
const logoutFields: FieldsOf<LogoutTokenOrder> = {
  to: required({
    expected: 'an http or https URL',
    fits: (value) => typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value),
  }),
  clientId: textField,
  sub: textField,
  sid: textField,
  fault: oneOf(logoutTokenFaults),
}

function personOf({ issuer, name }: Call): User {
  const user = issuer.users.findByName(name)
  if (!user) throw new CommandError(`there is nobody with the user name "${name}"`)
  return user
}

/** What an issuer without ID tokens can not do is refused there, not passed over. */
const ofProviders =
  (command: (call: Call, logoutTokens: LogoutTokens) => unknown): Command =>
  (call) => {
    if (call.issuer.logoutTokens) return command(call, call.issuer.logoutTokens)
    throw new CommandError('this issuer is no OpenID Provider')
  }

const clockOf = ({ issuer }: Call) => ({
  offsetSeconds: issuer.scenario.clock.offsetSeconds(),
  now: new Date(issuer.scenario.clock.now()).toISOString(),
})

const showPerson = (call: Call, user: User) =>
  shownPerson(user, call.issuer.scenario.people.of(user.username))

async function putPerson(call: Call) {
  const { issuer, name, body } = call
  const { user, rule } = readPerson(name, body, issuer.users.findByName(name))
  const other = issuer.users.find(user.sub)
  if (other && other.username !== user.username)
    throw new CommandError(`sub: is that of "${other.username}"`)
  const isPasswordChanged = await issuer.users.put(user)
  if (isPasswordChanged) issuer.authSessions?.revokeAllOf(user.sub)
  issuer.scenario.people.put(user.username, rule)
  if (rule.disabled === true) issuer.sessions.end(user.sub)
  return showPerson(call, personOf(call))
}

function setDisabled(call: Call, disabled: boolean) {
  const user = personOf(call)
  call.issuer.scenario.people.change(user.username, { disabled })
  if (disabled) call.issuer.sessions.end(user.sub)
  return showPerson(call, user)
}

function removePerson(call: Call) {
  const { sub, username } = personOf(call)
  call.issuer.users.remove(username)
  call.issuer.scenario.people.reset(username)
  call.issuer.sessions.end(sub)
  return { removed: username }
}

async function rotate({ issuer, body }: Call) {
  const read = readFields(body, rotationFields)
  const { publishFirst = false, old = 'retained' } = read
  const { keys } = issuer.scenario
  if (await keys.rotate({ publishFirst, old })) return keys.kids()
  throw new CommandError('publishFirst: there is no published next key; publish one first')
}

function listSessions({ issuer }: Call) {
  const sessions = issuer.sessions.list()
  return {
    sessions: sessions.map((one) => ({ username: issuer.users.find(one.sub)?.username, ...one })),
  }
}

const armed = ({ issuer }: Call) => ({
  ...issuer.scenario.faults.armed(),
  refusals: issuer.scenario.refusals.all(),
})

function armEndpoint({ issuer, body }: Call): void {
  const fault = readEndpointFault(body)
  if (fault.username !== undefined && !issuer.logoutTokens)
    throw new CommandError('username: this issuer is no OpenID Provider')
  issuer.scenario.faults.armEndpoint(fault)
}

const armToken = ({ issuer, body }: Call) => issuer.scenario.faults.armToken(readTokenFault(body))

/** Runs `change`, then answers with `answer`. */
const thenShow =
  (change: (call: Call) => unknown, answer: Command): Command =>
  async (call) => {
    await change(call)
    return answer(call)
  }

export const commands: Readonly<Record<string, Command>> = {
  'GET /faults': armed,
  'POST /faults': thenShow(armEndpoint, armed),
  'POST /token-faults': thenShow(ofProviders(armToken), armed),
  'POST /refusals': thenShow(({ issuer, body }) => {
    const refusal = readFields(body, refusalFields)
    issuer.scenario.refusals.add({ error: 'access_denied', times: 1, ...refusal })
  }, armed),
  'GET /requests': async ({ issuer, query }) => {
    const { filter, waitMilliseconds } = readJournalQuery(query)
    return { requests: await issuer.scenario.journal.wait(filter, waitMilliseconds) }
  },
  'GET /clock': clockOf,
  'PUT /clock': thenShow(({ issuer, body }) => {
    const { offsetSeconds } = readFields(body, clockFields)
    issuer.scenario.clock.set(offsetSeconds)
  }, clockOf),
  'POST /clock/advance': thenShow(({ issuer, body }) => {
    issuer.scenario.clock.advance(readFields(body, advanceFields).seconds)
  }, clockOf),
  'GET /keys': ofProviders(({ issuer }) => issuer.scenario.keys.kids()),
  'POST /keys/next': ofProviders(async ({ issuer: { scenario } }) => {
    await scenario.keys.publishNext()
    return scenario.keys.kids()
  }),
  'POST /keys/rotate': ofProviders(rotate),
  'GET /refresh': ofProviders(({ issuer }) => issuer.scenario.refresh.current()),
  'PUT /refresh': ofProviders(({ issuer: { scenario }, body }) => {
    scenario.refresh.change(readFields(body, refreshFields))
    return scenario.refresh.current()
  }),
  'GET /authentication': ofProviders(({ issuer }) => issuer.scenario.authentication.current()),
  'PUT /authentication': ofProviders(({ issuer: { scenario }, body }) => {
    scenario.authentication.change(readFields(body, authenticationFields))
    return scenario.authentication.current()
  }),
  'GET /users': (call) => ({
    users: call.issuer.users.list().map((user) => showPerson(call, user)),
  }),
  'GET /users/:name': (call) => showPerson(call, personOf(call)),
  'PUT /users/:name': putPerson,
  'DELETE /users/:name': removePerson,
  'POST /users/:name/disable': (call) => setDisabled(call, true),
  'POST /users/:name/enable': (call) => setDisabled(call, false),
  'DELETE /users/:name/grants': (call) => {
    call.issuer.sessions.revokeGrants(personOf(call).sub)
    return showPerson(call, personOf(call))
  },
  'GET /sessions': listSessions,
  'POST /logout-tokens': ofProviders(({ body }, logoutTokens) =>
    logoutTokens.send(readFields(body, logoutFields)),
  ),
  'POST /reset': thenShow(({ issuer }) => issuer.scenario.reset(), armed),
}

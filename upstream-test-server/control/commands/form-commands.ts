// The forms of the page of switches: which command each is, and how its fields become the command's body.
import { CommandError } from './read-command.ts'

export type FormFields = Readonly<Record<string, string>>

export interface FormCommand {
  /** One of commands.ts. */
  command: string
  body(fields: FormFields): object
}

const given = (fields: FormFields, name: string) => fields[name]?.trim() || undefined

/** What stands in the field, or nothing: no number is told apart from a wrong one by the command. */
function numberOf(fields: FormFields, name: string): number | string | undefined {
  const text = given(fields, name)
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : text
}

const valueNames: Readonly<Record<string, string>> = {
  status: 'status',
  oauth_error: 'error',
  delay: 'milliseconds',
  content_type: 'contentType',
  oversized: 'bytes',
}

function endpointFault(fields: FormFields): object {
  const kind = fields['kind'] ?? ''
  const name = Object.hasOwn(valueNames, kind) ? valueNames[kind] : undefined
  return name === undefined ? { kind } : { kind, [name]: numberOf(fields, 'value') }
}

function claimsFrom(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new CommandError('claims: expected JSON, like {"groups":["a"]}')
  }
}

const occasions = (fields: FormFields) => ({
  times: numberOf(fields, 'times'),
  username: given(fields, 'username'),
})

function personFrom(fields: FormFields): object {
  const email = given(fields, 'email')
  const roles = (given(fields, 'roles') ?? '').split(/[\s,]+/).filter(Boolean)
  const claims = claimsFrom(given(fields, 'claims'))
  const mail = email === undefined ? {} : { email, emailVerified: true }
  return { ...mail, roles, name: given(fields, 'fullName'), claims }
}

const nothing = () => ({})

export const formCommands: Readonly<Record<string, FormCommand>> = {
  endpoint: {
    command: 'POST /faults',
    body: (fields) => ({
      endpoint: fields['endpoint'],
      fault: endpointFault(fields),
      ...occasions(fields),
    }),
  },
  token: {
    command: 'POST /token-faults',
    body: (fields) => ({
      fault: { kind: fields['kind'], claim: given(fields, 'claim') },
      ...occasions(fields),
    }),
  },
  refusal: {
    command: 'POST /refusals',
    body: (fields) => ({ at: fields['at'], error: given(fields, 'error'), ...occasions(fields) }),
  },
  advance: {
    command: 'POST /clock/advance',
    body: (fields) => ({ seconds: numberOf(fields, 'seconds') }),
  },
  'clock-right': { command: 'PUT /clock', body: () => ({ offsetSeconds: 0 }) },
  'next-key': { command: 'POST /keys/next', body: nothing },
  rotate: {
    command: 'POST /keys/rotate',
    body: (fields) => ({ publishFirst: fields['publishFirst'] === 'yes', old: fields['old'] }),
  },
  refresh: {
    command: 'PUT /refresh',
    body: (fields) => ({ mode: fields['mode'], issued: fields['issued'] }),
  },
  authentication: {
    command: 'PUT /authentication',
    body: ({ acr, amr, authTime }) => ({ acr, amr, authTime }),
  },
  person: { command: 'PUT /users/:name', body: personFrom },
  disable: { command: 'POST /users/:name/disable', body: nothing },
  enable: { command: 'POST /users/:name/enable', body: nothing },
  grants: { command: 'DELETE /users/:name/grants', body: nothing },
  logout: {
    command: 'POST /logout-tokens',
    body: (fields) => ({
      to: given(fields, 'to'),
      sub: given(fields, 'sub'),
      sid: given(fields, 'sid'),
      fault: given(fields, 'fault'),
    }),
  },
  reset: { command: 'POST /reset', body: nothing },
}

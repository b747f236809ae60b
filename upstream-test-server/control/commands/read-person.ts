// Somebody as a test describes them. What is left out gets a default: a PUT says the whole person.
import { saidOf } from '../../behaviour/sign-in/authentication.ts'
import type { AuthenticationSaid } from '../../behaviour/sign-in/authentication.ts'
import type { PersonRule } from '../../behaviour/sign-in/people-rules.ts'
import { seedPassword } from '../../people/seed-users.ts'
import type { NewUser, User } from '../../people/users.ts'
import { CommandError } from './read-command.ts'
import { booleanField, oneOf, readFields, textField, textsField } from './read-fields.ts'
import type { Field, FieldsOf } from './read-fields.ts'

// Claims that say something about the token, not about the person.
const protocolClaims = new Set(
  (
    'iss sub aud exp iat nbf nonce azp sid jti events ' +
    'acr amr auth_time at_hash c_hash s_hash __proto__'
  ).split(' '),
)

const objectField: Field = {
  expected: 'an object',
  fits: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

const said = oneOf(saidOf)
const saysFields: FieldsOf<Partial<AuthenticationSaid>> = { acr: said, amr: said, authTime: said }

const fields: FieldsOf<Person> = {
  sub: { expected: '1 to 255 printable ASCII characters', fits: isSub },
  password: textField,
  name: textField,
  email: textField,
  emailVerified: booleanField,
  roles: textsField,
  claims: objectField,
  disabled: booleanField,
  acr: textsField,
  refused: textField,
  says: objectField,
}

// https://openid.net/specs/openid-connect-core-1_0.html#IDToken
function isSub(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20-\x7e]{1,255}$/.test(value)
}

/** Everything is optional; a null claim takes away one that everybody has. */
export interface Person extends PersonRule {
  /** Default: as it was, else the user name. */
  sub?: string
  /** Default: `password`. */
  password?: string
  name?: string
  email?: string
  emailVerified?: boolean
  roles?: string[]
  /** Further claims of ID token and userinfo, with the scope profile. */
  claims?: Record<string, unknown>
}

export interface ReadPerson {
  user: NewUser
  rule: PersonRule
}

function claimsFrom(claims: Record<string, unknown> = {}): Record<string, unknown> {
  const taken = Object.keys(claims).find((name) => protocolClaims.has(name))
  if (taken !== undefined)
    throw new CommandError(`claims.${taken}: is decided by the server; use its switch`)
  return claims
}

function subFor(username: string, before: User | undefined): string {
  if (before) return before.sub
  if (isSub(username)) return username
  throw new CommandError('sub: expected, because the user name is not printable ASCII')
}

/** @throws {CommandError} */
export function readPerson(username: string, body: unknown, before: User | undefined): ReadPerson {
  const person = readFields(body, fields)
  const { sub = subFor(username, before), password = seedPassword, name = username } = person
  const { email, emailVerified, roles = [], claims, disabled, acr, refused, says } = person
  if (says) readFields(says, saysFields)
  const mail = { ...(email && { email }), ...(emailVerified && { emailVerified }) }
  const attributes = claimsFrom(claims)
  const rule = {
    ...(disabled !== undefined && { disabled }),
    ...(acr && { acr }),
    ...(refused && { refused }),
    ...(says && { says }),
  }
  return { user: { sub, username, password, name, ...mail, roles, attributes }, rule }
}

/** Without the password. */
export function shownPerson(user: User, rule: PersonRule): Person & { username: string } {
  const { sub, username, name, email, emailVerified, roles, attributes: claims } = user
  return { username, sub, name, ...(email && { email }), emailVerified, roles, claims, ...rule }
}

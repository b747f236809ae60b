// One line on what each claim says, in the order in which they are shown, for those who see one of these tokens for the first time.
import type { Claims } from '../session/session-data.ts'

const MEANINGS: Readonly<Record<string, string>> = {
  iss: 'Who minted this token: the adapter, never the upstream.',
  sub: 'The person. With the issuer it is the only stable key; keep accounts by it, not by e-mail.',
  aud: 'Whom the token is for. Refuse a token that does not name you.',
  azp: 'The client that the token was issued to, when the audience has several members.',
  client_id: 'The client that asked for the token.',
  exp: 'Not valid from this moment on.',
  iat: 'When it was minted.',
  nbf: 'Not valid before this moment.',
  jti: 'The serial number of this token.',
  scope: 'What the client may do with it.',
  nonce: 'Ties the ID token to the sign-in that this browser began.',
  auth_time: 'When the person proved who they are.',
  acr: 'How strong that proof was, as the upstream says.',
  amr: 'By which means: password, one-time code, key.',
  sid: 'The session at the adapter; a logout names it.',
  at_hash: 'Half a hash of the access token, which ties the two together.',
  c_hash: 'Half a hash of the authorization code.',
  s_hash: 'Half a hash of the state.',
  test_auth_server_sub:
    'The subject as the upstream test-auth-server knows it: the trace through the chain.',
  preferred_username: 'The name the person signs in with. It may change; it is no key.',
  name: 'The name to show.',
  given_name: 'First name.',
  family_name: 'Last name.',
  email: 'E-mail address, if the scope asked for it.',
  email_verified: 'Whether the upstream made sure that the address is theirs.',
  authorities: 'Roles, mapped from those of the upstream by auth-adapter.yaml.',
  roles: 'Roles, as the upstream names them.',
  alg: 'The algorithm of the signature.',
  kid: 'Which key of /oauth2/jwks verifies it.',
  typ: 'What kind of token it is: at+jwt is an access token, so that it can not pass for an ID token.',
}

const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time'])

export interface ClaimRow {
  readonly name: string
  readonly value: string
  readonly meaning: string
}

export function claimRows(claims: Claims): ClaimRow[] {
  const names = Object.keys(MEANINGS)
  const placeOf = (name: string): number =>
    Object.hasOwn(MEANINGS, name) ? names.indexOf(name) : names.length
  const ordered = Object.entries(claims).sort(([a], [b]) => placeOf(a) - placeOf(b))
  return ordered.map(([name, value]) => ({
    name,
    value: shown(name, value),
    meaning:
      (Object.hasOwn(MEANINGS, name) && MEANINGS[name]) ||
      'Added by the claims mapping in auth-adapter.yaml.',
  }))
}

function shown(name: string, value: unknown): string {
  if (TIMES.has(name) && typeof value === 'number') return `${value} (${utc(value * 1000)})`
  // Checked and spent, and still nothing that belongs on a page.
  if (name === 'nonce') return `not shown, ${String(value).length} characters`
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** `2026-01-31 12:00:00 UTC` of epoch milliseconds. */
export function utc(time: number): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return 'no valid time'
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

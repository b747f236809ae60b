// The client secret as Apple wants it: a JWT of our team about our client, signed with the key that Apple gave us.
import { sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { ClientAuth } from 'openid-client'
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { ConfigError } from '../../errors.ts'
import { clientKeyFrom } from './client-key.ts'

/** One serves one token request; Apple would take one of six months. */
const LIFETIME_SECONDS = 300

/** @throws ConfigError when the key is none for ES256, or has no id */
export function appleClientSecret(upstream: string, config: AnyUpstreamConfig): ClientAuth {
  const { key, kid } = clientKeyFrom(upstream, config)
  const { issuer, team_id: team } = config
  const fault = (setting: string, message: string) =>
    new ConfigError([{ path: `upstreams.${upstream}.${setting}`, message }])
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw fault('client_key', 'Expected a P-256 key')
  if (kid === undefined) throw fault('client_key_id', 'is needed for apple_jwt')
  if (team === undefined) throw fault('team_id', 'is needed for apple_jwt')

  return (_server, { client_id }, body) => {
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: team, sub: client_id, aud: issuer, iat, exp: iat + LIFETIME_SECONDS }
    body.set('client_id', client_id)
    body.set('client_secret', signedJwt({ alg: 'ES256', kid }, claims, key))
  }
}

function signedJwt(header: object, claims: object, key: KeyObject): string {
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  // RFC 7518 §3.4, R and S side by side: https://www.rfc-editor.org/rfc/rfc7518.html#section-3.4
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

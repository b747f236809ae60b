// The last touch to a JWT access token before it is signed: an id that says what it lives and dies with, and the type that
// its reader wants to see.
import { randomBytes } from 'node:crypto'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Config } from '../../config/schema.ts'
import type { ClientSubjects } from '../people/client-subjects.ts'
import { tokenSettings } from '../resources.ts'
import { tokenId } from './issued-tokens.ts'

interface TokenLike {
  clientId?: string
  grantId?: string
  sessionUid?: string
  resourceServer?: { identifier(): string }
}

interface Jwt {
  header?: object | undefined
  payload: Record<string, unknown>
}

/** oidc-provider's `formats.customizers.jwt`. */
export function shapeAccessToken(
  config: Pick<Config, 'clients' | 'resources'>,
  { hideSession }: ClientSubjects,
) {
  return (_ctx: KoaContextWithOIDC, token: object, jwt: Jwt): void => {
    const { clientId = '', grantId, sessionUid, resourceServer } = token as TokenLike
    const settings = tokenSettings(config, clientId, resourceServer?.identifier() ?? '')
    if (settings) jwt.header = { typ: settings.typ }
    if (!grantId || !sessionUid) return
    const hidden = hideSession(clientId, sessionUid, grantId)
    jwt.payload['jti'] = tokenId(randomBytes(16).toString('base64url'), grantId, hidden)
  }
}

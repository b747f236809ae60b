// The parts that find out who makes a request, put together.
import type { RequestHandler } from 'express'
import type { Log } from '../../service/log.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import type { Seal } from '../session/seal.ts'
import { createTokenCookies } from '../token-login/token-cookies.ts'
import { createAdapterKeys } from './token/adapter-keys.ts'
import { createAuthenticate } from './authenticate.ts'
import { createIdentify } from './identify.ts'
import { createVerifyToken } from './token/verify-token.ts'

export interface AuthenticationParts {
  readonly issuer: string
  readonly clientId: string
  readonly relyingParty: { readonly jwksUri: () => Promise<string> }
  readonly session: RequestHandler
  readonly cookies: CookieSettings
  readonly seal: Seal
  readonly log: Log
  readonly now: () => number
}

export function openAuthentication(parts: AuthenticationParts) {
  const { jwksUri } = parts.relyingParty
  const findKey = createAdapterKeys({ jwksUri, now: parts.now })
  const verify = createVerifyToken({ ...parts, findKey })
  const tokenCookies = createTokenCookies(parts)
  const identify = createIdentify({ ...parts, verify, tokenCookies })
  const authenticate = createAuthenticate({ ...parts, identify })
  return { findKey, verify, tokenCookies, identify, authenticate }
}

// What is kept of the session that a person has at the upstream: by what it is named there, and the ID token that a logout
// there asks for, sealed.
import type { Sealing } from '../sealing/sealing.ts'

export interface UpstreamSession {
  /** The person, as the upstream names them. */
  sub: string
  /** The session, where its ID token names one. */
  sid?: string
  /** The sealed ID token, where the person may be sent to sign out there. */
  idToken?: string
}

export interface UpstreamSessions {
  of(said: SignedIn, settings: { logout?: 'always' | 'ask' | 'never' }): UpstreamSession
  /** The ID token, for `id_token_hint`; undefined when there is none, or none that can be read. */
  hintOf(session: UpstreamSession): string | undefined
}

interface SignedIn {
  sub: string
  idTokenClaims: Readonly<Record<string, unknown>>
  tokens: { id_token?: string }
}

const CONTEXT = 'upstream id_token_hint'
/** A hint is part of a URL; what is longer would be refused by many servers. */
const MAX_HINT_LENGTH = 6000
const MAX_SID_LENGTH = 255

export function createUpstreamSessions(sealing: Sealing): UpstreamSessions {
  return {
    of({ sub, idTokenClaims, tokens }, { logout = 'never' }) {
      const sid = idTokenClaims['sid']
      const hint = tokens.id_token ?? ''
      const isNeeded = logout !== 'never' && hint !== '' && hint.length <= MAX_HINT_LENGTH
      return {
        sub,
        ...(isSid(sid) ? { sid } : {}),
        ...(isNeeded ? { idToken: sealing.seal(hint, CONTEXT) } : {}),
      }
    },
    hintOf({ idToken }) {
      if (idToken === undefined) return undefined
      try {
        return sealing.unseal(idToken, CONTEXT)
      } catch {
        // Sealed with a key that is gone: the upstream will ask the person.
        return undefined
      }
    },
  }
}

function isSid(sid: unknown): sid is string {
  return typeof sid === 'string' && sid !== '' && sid.length <= MAX_SID_LENGTH
}

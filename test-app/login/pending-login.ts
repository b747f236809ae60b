// Sign-ins on their way: one sealed, short-lived cookie for each, named after its `state`, so that every tab finishes
// its own. Nothing is stored here; without the cookie a callback means nothing to this app.
import { createHash, hkdfSync, randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import type { Seal } from '../session/seal.ts'
import { cookiesOf } from '../browser/cookies.ts'
import type { CookieSettings } from '../browser/cookies.ts'

const PENDING_MS = 15 * 60 * 1000
const MOST_PENDING = 20
const MOST_PENDING_BYTES = 3500
const SECRET_BYTES = 32
const TIME_BYTES = 6

export interface PendingLogin {
  /** Names this login in memory and in the session; it reveals nothing. */
  readonly id: string
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly returnTo: string
  readonly startedAt: number
}

export interface PendingLogins {
  /** Makes a login and its cookie; drops cookies that are over, and the oldest beyond twenty or 3.5 kB. */
  begin(req: Request, res: Response, returnTo: string): PendingLogin
  /** The login of this `state`, if this browser began it and it is not over. */
  find(req: Request, state: unknown): PendingLogin | undefined
  end(res: Response, login: PendingLogin): void
  /** The id that a login of this `state` has or had. */
  idOf(state: unknown): string | undefined
}

export interface PendingLoginOptions {
  readonly seal: Seal
  readonly cookies: CookieSettings
  readonly now: () => number
}

export function createPendingLogins({ seal, cookies, now }: PendingLoginOptions): PendingLogins {
  const prefix = cookies.named('LOGIN_')
  const open = (name: string, value: string): PendingLogin | undefined => {
    const plain = seal.open(value, name)
    const login = plain && unpack(plain)
    if (!login || name !== prefix + login.id || isOver(login, now())) return undefined
    return login
  }
  return {
    begin(req, res, returnTo) {
      const secret = randomBytes(SECRET_BYTES)
      const startedAt = now()
      const login = loginFrom(secret, startedAt, returnTo)
      const name = prefix + login.id
      const value = seal.seal(pack(secret, startedAt, returnTo), name)
      const mine = [...cookiesOf(req)].filter(([other]) => other.startsWith(prefix))
      for (const old of surplus(mine, open, value.length)) cookies.clear(res, old)
      cookies.set(res, name, value, PENDING_MS)
      return login
    },
    find(req, state) {
      if (typeof state !== 'string' || state === '') return undefined
      const name = prefix + loginId(state)
      const value = cookiesOf(req).get(name)
      return value === undefined ? undefined : open(name, value)
    },
    end: (res, login) => cookies.clear(res, prefix + login.id),
    idOf: (state) => (typeof state === 'string' ? loginId(state) : undefined),
  }
}

function isOver(login: PendingLogin, now: number): boolean {
  return now >= login.startedAt + PENDING_MS || login.startedAt > now + PENDING_MS
}

type OpenCookie = (name: string, value: string) => PendingLogin | undefined

/** Names of the cookies to drop when one of `addedBytes` joins these. */
function surplus(mine: [string, string][], open: OpenCookie, addedBytes: number): string[] {
  const aged = mine.map(([name, value]) => ({
    name,
    bytes: name.length + value.length,
    startedAt: open(name, value)?.startedAt ?? 0,
  }))
  aged.sort((a, b) => b.startedAt - a.startedAt)
  let bytes = addedBytes
  return aged
    .filter((cookie, index) => {
      bytes += cookie.bytes
      return cookie.startedAt === 0 || index >= MOST_PENDING - 1 || bytes > MOST_PENDING_BYTES
    })
    .map((cookie) => cookie.name)
}

// One random value per login; what goes on the wire is derived from it, which keeps twenty cookies below 3 kB.
function loginFrom(secret: Buffer, startedAt: number, returnTo: string): PendingLogin {
  const derive = (use: string): string =>
    Buffer.from(hkdfSync('sha256', secret, '', use, 32)).toString('base64url')
  const state = derive('state')
  return {
    id: loginId(state),
    state,
    nonce: derive('nonce'),
    codeVerifier: derive('code_verifier'),
    returnTo,
    startedAt,
  }
}

function loginId(state: string): string {
  return createHash('sha256').update(state).digest('base64url').slice(0, 12)
}

function pack(secret: Buffer, startedAt: number, returnTo: string): Buffer {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeUIntBE(startedAt, 0, TIME_BYTES)
  return Buffer.concat([secret, time, Buffer.from(returnTo)])
}

function unpack(plain: Buffer): PendingLogin | undefined {
  if (plain.length < SECRET_BYTES + TIME_BYTES) return undefined
  const startedAt = plain.readUIntBE(SECRET_BYTES, TIME_BYTES)
  const returnTo = plain.subarray(SECRET_BYTES + TIME_BYTES).toString()
  return loginFrom(plain.subarray(0, SECRET_BYTES), startedAt, returnTo)
}

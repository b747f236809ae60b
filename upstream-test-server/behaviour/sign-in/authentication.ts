// How strongly people sign in, and what the ID token says about it: as asked and done, less, or nothing.
import { createSetting } from '../setting.ts'
import type { Setting } from '../setting.ts'

export const saidOf = ['as_asked', 'weaker', 'absent'] as const
export type Said = (typeof saidOf)[number]

export interface AuthenticationSaid {
  acr: Said
  amr: Said
  authTime: Said
}

export interface AuthenticationValues extends AuthenticationSaid {
  /** Names of acr, the weakest first; all but the first take a second factor. */
  levels: readonly string[]
}

export type AuthenticationRules = Setting<AuthenticationValues>

export const passwordAcr = 'urn:test:password'
export const secondFactorAcr = 'urn:test:second-factor'

export const createAuthenticationRules = (): AuthenticationRules =>
  createSetting<AuthenticationValues>({
    acr: 'as_asked',
    amr: 'as_asked',
    authTime: 'as_asked',
    levels: [passwordAcr, secondFactorAcr],
  })

export interface Reached {
  acr: string
  amr: string[]
}

/** The first of the asked levels that exists and is open to the person; else the weakest. */
export function reachedBy(
  asked: string,
  levels: readonly string[],
  able: readonly string[] | undefined,
): Reached {
  const [weakest = passwordAcr] = levels
  const acr =
    asked.split(' ').find((name) => levels.includes(name) && able?.includes(name) !== false) ??
    weakest
  return { acr, amr: acr === weakest ? ['pwd'] : ['pwd', 'otp', 'mfa'] }
}

type Json = Record<string, unknown>

const day = 24 * 60 * 60

const weaker: Record<keyof AuthenticationSaid, (value: unknown, weakest: string) => unknown> = {
  acr: (_value, weakest) => weakest,
  amr: () => ['pwd'],
  authTime: (value) => Number(value) - day,
}

const claimOf = { acr: 'acr', amr: 'amr', authTime: 'auth_time' } as const

/** `claims` with what was truly done in them; undefined takes a claim out. */
export function sayAuthentication(
  claims: Json,
  said: AuthenticationSaid,
  levels: readonly string[],
): Json {
  const changes = Object.entries(claimOf).map(([name, claim]) => {
    const kind = said[name as keyof AuthenticationSaid]
    if (kind === 'absent' || claims[claim] === undefined) return [claim, undefined]
    const weaken = weaker[name as keyof AuthenticationSaid]
    return [claim, kind === 'weaker' ? weaken(claims[claim], levels[0] ?? '') : claims[claim]]
  })
  return { ...claims, ...(Object.fromEntries(changes) as Json) }
}

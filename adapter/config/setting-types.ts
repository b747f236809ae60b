// What single settings are made of: durations, names, ports, scopes, and the marks for secrets and paths.
import { z } from 'zod'

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `30s`, `5m`, `8h`, `14d` → seconds. */
export const duration = (minimumSeconds = 1, maximumSeconds = 400 * 86_400) =>
  z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'Expected a duration such as 30s, 5m, 8h or 14d')
    .transform((text) => {
      const [, amount, unit] = /^(\d+)(\D+)$/.exec(text) as unknown as [
        string,
        string,
        keyof typeof UNITS,
      ]
      return Number(amount) * UNITS[unit]
    })
    .refine((seconds) => seconds >= minimumSeconds && seconds <= maximumSeconds, {
      message: `Expected between ${minimumSeconds}s and ${maximumSeconds}s`,
    })

/** A setting whose value is never shown: see `isSecret` in setting.ts. */
export const secret = (description: string) => z.string().min(1).meta({ description, secret: true })
/** A setting that names a file or folder; a relative one is taken from the configuration file's folder. */
export const path = (description: string) => z.string().min(1).meta({ description, path: true })

export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Expected a name of lower-case letters, digits and dashes')
export const port = z.int().min(0).max(65_535)
export const scope = z
  .string()
  // https://www.rfc-editor.org/rfc/rfc6749.html#section-3.3
  .regex(
    /^[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*$/,
    'Expected scopes separated by single spaces',
  )

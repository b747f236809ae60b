// The public keys of an app: what it proves itself with, and signs requests with. Shape and single keys only; which app
// needs some is said in checks/.
import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { z } from 'zod'
import { CLIENT_AUTH_ALGS } from './is-confidential.ts'

/** https://www.rfc-editor.org/rfc/rfc7518#section-6.3.2 and sections 6.2.2 and 6.4.1 */
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']
const ALGS_OF: Readonly<Record<string, readonly string[]>> = {
  RSA: ['RS256', 'PS256'],
  'P-256': ['ES256'],
  Ed25519: ['EdDSA', 'Ed25519'],
}
/** https://www.rfc-editor.org/rfc/rfc8725#section-3.5 */
const SHORTEST_RSA_BITS = 2048

// Other members, such as x5c, are not looked at.
const publicKey = z
  .looseObject({
    kty: z.enum(['RSA', 'EC', 'OKP']).describe('RSA, EC (P-256) or OKP (Ed25519).'),
    kid: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .describe('Its name. Needed where there are several keys.'),
    alg: z
      .enum(CLIENT_AUTH_ALGS)
      .optional()
      .describe('The one algorithm it is for. Absent: any that fits it.'),
    use: z.literal('sig').optional().describe('`sig`, where it is said.'),
    crv: z.string().optional().describe('`P-256` or `Ed25519`.'),
    n: z.string().optional().describe('RSA modulus.'),
    e: z.string().optional().describe('RSA exponent.'),
    x: z.string().optional().describe('EC or OKP coordinate.'),
    y: z.string().optional().describe('EC coordinate.'),
  })
  .superRefine((key, { addIssue }) => {
    const fault = keyFault(key)
    if (fault) addIssue({ code: 'custom', ...fault })
  })

type PublicKey = z.infer<typeof publicKey>
interface LooseKey {
  kty: string
  crv?: string | undefined
  alg?: string | undefined
}

interface KeyFault {
  message: string
  path: string[]
}

function keyFault(key: LooseKey): KeyFault | undefined {
  const [leaked] = PRIVATE.filter((name) => Object.hasOwn(key, name))
  if (leaked !== undefined)
    return {
      path: [leaked],
      message:
        'A private key stays with its app: put the public one here, and make a new pair, since others have seen this one',
    }
  const algs = ALGS_OF[key.kty === 'RSA' ? 'RSA' : (key.crv ?? '')]
  if (!algs) return { path: ['crv'], message: 'Expected P-256 with kty EC, or Ed25519 with OKP' }
  if (key.alg !== undefined && !algs.includes(key.alg))
    return { path: ['alg'], message: `Expected ${algs.join(' or ')} for this key` }
  return strengthFault(key)
}

function strengthFault(key: object): KeyFault | undefined {
  const unusable = {
    path: [],
    message: 'Not a usable public key: a part of it is missing or wrong',
  }
  try {
    const { asymmetricKeyDetails } = createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    const bits = asymmetricKeyDetails?.modulusLength ?? SHORTEST_RSA_BITS
    return bits < SHORTEST_RSA_BITS
      ? { path: [], message: `Expected an RSA key of ${SHORTEST_RSA_BITS} bits or more` }
      : undefined
  } catch {
    return unusable
  }
}

const keySet = z
  .looseObject({
    keys: z.array(publicKey).min(1).max(10).describe('The keys. Two while one replaces the other.'),
  })
  .superRefine(({ keys }, { addIssue }) => {
    const fault = namesFault(keys)
    if (fault !== undefined) addIssue({ code: 'custom', path: ['keys'], message: fault })
  })

function namesFault(keys: readonly PublicKey[]): string | undefined {
  if (keys.length === 1) return undefined
  const names = keys.map(({ kid }) => kid)
  return names.includes(undefined) || new Set(names).size < names.length
    ? 'Of several keys each needs a kid of its own'
    : undefined
}

/** What `${file:…}` gives. Marked as secret: it may hold a private key by mistake, and must not be shown then. */
const asText = z
  .string()
  .meta({ secret: true })
  .transform((text, { addIssue }) => {
    const value = jsonOf(text)
    if (value === undefined) addIssue({ code: 'custom', message: 'Expected a JWK Set as JSON' })
    return value
  })
  .pipe(keySet)

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

export const clientKeys = z
  .union([keySet, asText])
  .describe(
    'Its public keys, as a JWK Set: here as a map, or as `${file:app.jwks.json}`. For `private_key_jwt`. Two keys are good at a time while one replaces the other.',
  )

// The shape of auth-adapter.yaml. One strict zod schema; every description becomes editor help and reference text.
// Reading, interpolation, positions and messages belong to load-config.ts.
import { z } from 'zod'

const UNITS = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 } as const

/** `30s`, `5m`, `8h`, `14d` → seconds. */
export const duration = (minimumSeconds = 1, maximumSeconds = 400 * 86_400) =>
  z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'expected a duration such as 30s, 5m, 8h or 14d')
    .transform((text) => {
      const [, amount, unit] = /^(\d+)(\D+)$/.exec(text) as unknown as [string, string, keyof typeof UNITS]
      return Number(amount) * UNITS[unit]
    })
    .refine((seconds) => seconds >= minimumSeconds && seconds <= maximumSeconds, {
      message: `expected between ${minimumSeconds}s and ${maximumSeconds}s`,
    })

/** Marks a setting whose value is never shown: see `isSecret`. */
const secret = () => z.string().min(1).meta({ secret: true })

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected lower-case letters, digits and dashes')
const port = z.coerce.number().int().min(0).max(65_535)
const claimPath = z.string().min(1).max(256)

const tls = z.strictObject({
  cert: z.string().meta({ description: 'PEM file with the certificate chain. Read again when it changes.' }),
  key: z.string().meta({ description: 'PEM file with the private key. Read again when it changes.' }),
})

const listen = z.strictObject({
  host: z.string().default('127.0.0.1'),
  port: port.default(9000),
  tls: tls.optional().meta({ description: 'Serve https directly. Without it a TLS proxy is expected outside loopback.' }),
})

const storage = z.discriminatedUnion('driver', [
  z.strictObject({ driver: z.literal('memory') }),
  z.strictObject({ driver: z.literal('sqlite'), file: z.string().min(1) }),
  z.strictObject({
    driver: z.literal('redis'),
    url: secret().optional().meta({ description: 'redis:// or rediss:// URL of a standalone server.' }),
    cluster: z.array(secret()).min(1).optional().meta({ description: 'URLs of some nodes of a Redis Cluster.' }),
    sentinel: z
      .strictObject({ name: z.string().min(1), nodes: z.array(z.string().regex(/^[^:]+:\d+$/, 'expected host:port')).min(1), password: secret().optional() })
      .optional(),
    prefix: z.string().max(64).default('auth-adapter:'),
  }),
])

const claimRule = z.union([
  claimPath,
  z.strictObject({
    from: claimPath.optional().meta({ description: 'Path in the ID token, then in userinfo: name, or a.b.c' }),
    constant: z.unknown().optional(),
    values: z.record(z.string(), z.string()).optional().meta({ description: 'Translates each value; values not listed are dropped.' }),
    default: z.unknown().optional(),
    required: z.boolean().optional(),
  }),
])

const upstream = z.strictObject({
  kind: z.literal('oidc'),
  issuer: z.url(),
  client_id: z.string().min(1),
  client_secret: secret().optional(),
  client_auth_method: z.enum(['client_secret_basic', 'client_secret_post', 'none']).default('client_secret_basic'),
  scope: z.string().default('openid profile'),
  display_name: z.string().optional(),
  subject: z.enum(['bare', 'prefixed']).default('prefixed'),
  userinfo: z.enum(['always', 'when_missing', 'never']).default('never'),
  id_token_algs: z
    .array(z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']))
    .min(1)
    .default(['RS256']),
  clock_tolerance: duration(0, 300).default(30),
  timeout: duration(1, 30).default(5),
  claims: z.record(z.string(), claimRule).default({}),
})

const client = z.strictObject({
  client_name: z.string().optional(),
  client_uri: z.url().optional().meta({ description: "The app's start page: the way on from our pages." }),
  client_secret: secret().optional().meta({ description: 'Absent for a public client.' }),
  redirect_uris: z.array(z.url()).min(1),
  post_logout_redirect_uris: z.array(z.url()).default([]),
  scope: z.string().default('openid'),
  pkce: z.enum(['required', 'optional']).default('required'),
  access_token: z.strictObject({ ttl: duration(10, 86_400).default(300) }).default({ ttl: 300 }),
})

export const configSchema = z.strictObject({
  issuer: z.url().meta({ description: 'Who we are to apps. https, or http on loopback. No trailing slash.' }),
  listen: listen.prefault({}),
  admin: z.strictObject({ host: z.string().default('127.0.0.1'), port: port.default(9010) }).prefault({}),
  trusted_proxies: z.array(z.string()).default([]).meta({ description: 'Addresses or CIDR ranges whose forwarded headers are believed.' }),
  storage: storage.default({ driver: 'sqlite', file: 'data/adapter.sqlite' }),
  session: z
    .strictObject({ idle: duration(60).default(8 * 3600), absolute: duration(60).default(12 * 3600) })
    .prefault({}),
  login: z.strictObject({ ttl: duration(1, 3600).default(600).meta({ description: 'How long one sign-in may take.' }) }).prefault({}),
  keys: z
    .strictObject({
      alg: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']).default('RS256'),
      file: z.string().optional().meta({ description: 'JWK Set file with private signing keys; required in production.' }),
      sealing_key: secret().optional().meta({ description: '32 bytes, base64url. Seals secrets at rest. Generated into data/sealing.key outside production.' }),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  upstreams: z.record(name, upstream).refine((all) => Object.keys(all).length > 0, 'expected at least one upstream'),
  default_upstream: name.optional(),
  clients: z.record(z.string().min(1).max(128), client),
})

export type Config = z.output<typeof configSchema>
export type UpstreamConfig = Config['upstreams'][string]
export type ClientConfig = Config['clients'][string]
export type StorageConfig = Config['storage']
export type ClaimRule = z.output<typeof claimRule>

// The shape of auth-adapter.yaml. One strict zod schema; every description becomes editor help and reference text.
// Reading, interpolation, positions and messages belong to load-config.ts, what a shape can not say to check-config.ts.
import { z } from 'zod'
import { audit } from './audit-schema.ts'
import { resource } from './client-schema/access-token.ts'
import { client } from './client-schema.ts'
import { scopeDescriptions } from './client-schema/consent-settings.ts'
import { duration, name, path, port, secret } from './setting-types.ts'
import { upstream } from './upstream-schema.ts'

const tls = z.strictObject({
  cert: path('PEM file with the certificate chain. Read again when it changes.'),
  key: path('PEM file with the private key. Read again when it changes.'),
})

const listen = z.strictObject({
  host: z
    .string()
    .min(1)
    .prefault('127.0.0.1')
    .describe('Address to listen on. `0.0.0.0` for all.'),
  port: port.prefault(9000).describe('Port to listen on. `0` takes a free one.'),
  drain: duration(0, 15)
    .prefault('500ms')
    .describe(
      'After SIGTERM `/readyz` says no at once, and requests are accepted for this long, until a load balancer has seen it. `5s` or more behind one.',
    ),
  tls: tls
    .optional()
    .describe(
      'Serve https directly. Without it a TLS proxy named in `trusted_proxies` is expected outside loopback.',
    ),
})

const admin = z.strictObject({
  host: z
    .string()
    .min(1)
    .prefault('127.0.0.1')
    .describe('Address of the admin listener. Keep it on loopback or a private network.'),
  port: port.prefault(9010).describe('Port of the admin listener. `0` takes a free one.'),
  token: secret(
    'Bearer token of the admin API, 32 characters or more. Generated into `admin.token` in the `data` folder otherwise; in production there is no API without it. AUTH_ADAPTER_ADMIN_TOKEN wins.',
  ).optional(),
})

const sentinel = z.strictObject({
  name: z.string().min(1).describe('Name of the primary, as Sentinel knows it.'),
  nodes: z
    .array(z.string().regex(/^[^\s:]+:\d{1,5}$/, 'Expected host:port'))
    .min(1)
    .describe('The Sentinels, each as `host:port`.'),
  password: secret('Password of the Redis servers (not of the Sentinels).').optional(),
})

const storage = z.discriminatedUnion('driver', [
  z.strictObject({
    driver: z
      .literal('memory')
      .describe('Everything is lost at the end of the process. For tests.'),
  }),
  z.strictObject({
    driver: z
      .literal('sqlite')
      .describe('One file, for one adapter process on one machine. The default.'),
    file: path('Database file; its folder is created.').prefault('data/adapter.sqlite'),
  }),
  z.strictObject({
    driver: z
      .literal('redis')
      .describe('A Redis server, shared by any number of adapter processes.'),
    url: secret('`redis://` or `rediss://` URL of a standalone server.').optional(),
    cluster: z
      .array(secret('URL of a node.'))
      .min(1)
      .optional()
      .describe('URLs of some nodes of a Redis Cluster.'),
    sentinel: sentinel.optional().describe('Servers watched by Redis Sentinel.'),
    prefix: z.string().max(64).prefault('auth-adapter:').describe('Put before each key.'),
  }),
])

export const configSchema = z.strictObject({
  issuer: z
    .url()
    .describe(
      'Who we are to apps: the base of all our URLs. https, or http on loopback. No trailing slash.',
    ),
  listen: listen.prefault({}).describe('Where apps and browsers reach us.'),
  admin: admin
    .prefault({})
    .describe('The second listener: health, and the API that commands ask. Never published.'),
  trusted_proxies: z
    .array(z.string().min(1))
    .prefault([])
    .describe('Addresses or CIDR ranges of proxies whose `X-Forwarded-*` headers are believed.'),
  data: path('Folder for what is generated: `adapter.sqlite`, `sealing.key`.').prefault('data'),
  storage: storage
    .prefault({ driver: 'sqlite' })
    .describe('Where sessions, codes and tokens are kept.'),
  session: z
    .strictObject({
      idle: duration(60).prefault('8h').describe('A sign-in ends when it is not used for so long.'),
      absolute: duration(60).prefault('12h').describe('A sign-in ends after so long in any case.'),
    })
    .prefault({})
    .describe('Single sign-on.'),
  login: z
    .strictObject({
      ttl: duration(1, 3600).prefault('10m').describe('How long one sign-in may take.'),
    })
    .prefault({})
    .describe('The way through the upstream.'),
  keys: z
    .strictObject({
      alg: z
        .enum(['RS256', 'PS256', 'ES256', 'EdDSA'])
        .prefault('RS256')
        .describe('Algorithm of our signatures.'),
      file: path(
        'JWK Set file with our private signing keys: the first of `alg` signs, all are published, and rotating them is up to you. Without it keys are made, kept sealed in storage, and rotated; in production only where `rotate_every` says so.',
      ).optional(),
      signer: z
        .strictObject({
          command: z
            .array(z.string().min(1))
            .min(1)
            .describe(
              'The program and its arguments. It is started once, and again after it ended.',
            ),
          timeout: duration(0.1, 30).prefault('2s').describe('How long one signature may take.'),
        })
        .optional()
        .describe(
          'A program that signs, for keys in an HSM or a KMS; instead of `file` and `rotate_every`. See docs/keys.md.',
        ),
      rotate_every: duration(3600)
        .optional()
        .describe(
          'How long a key that we made signs, 90d unless said. Not with `file`. In production this setting is what allows keys to be made.',
        ),
      publish_before: duration(1, 7 * 86_400)
        .prefault('10m')
        .describe(
          'How long a new key is published at least before it signs. Apps may keep the published keys for a minute less than that, 5m at most.',
        ),
      subject_key: secret(
        '32 bytes, base64url: makes the `sub` of clients with `subject: pairwise`. Every one of them changes when it does. Required in production where a client is pairwise; generated into storage otherwise.',
      ).optional(),
      sealing_key: secret(
        '32 bytes, base64url: seals secrets at rest. Required in production, generated into `sealing.key` in the `data` folder otherwise.',
      ).optional(),
      second_sealing_key: secret(
        'Another such key, which opens what it has sealed and seals nothing: the old one or the next one, while `sealing_key` is rotated. See docs/keys.md.',
      ).optional(),
    })
    .prefault({})
    .describe('Our signing keys and the sealing key.'),
  log: z
    .strictObject({
      level: z
        .enum(['trace', 'debug', 'info', 'warn', 'error'])
        .prefault('info')
        .describe('The least level written.'),
    })
    .prefault({})
    .describe('The log on standard output, one JSON object a line.'),
  audit,
  upstreams: z
    .record(name, upstream)
    .refine((all) => Object.keys(all).length > 0, 'Expected at least one upstream')
    .describe(
      'The identity providers behind us. The name is part of the callback: `<issuer>/login/oauth2/code/<name>`.',
    ),
  default_upstream: name
    .optional()
    .describe('Used without asking when there are several upstreams.'),
  clients: z.record(z.string().min(1).max(128), client).describe('The apps, by client id.'),
  scope_descriptions: scopeDescriptions,
  resources: z
    .record(z.string().min(1).max(512), resource)
    .prefault({})
    .describe(
      'The services that clients may ask for tokens for (`resource`), by their absolute URI. A client needs none to get tokens for itself.',
    ),
})

export type Config = z.output<typeof configSchema>
export type AnyUpstreamConfig = Config['upstreams'][string]
/** Of `kind: oidc`, which is what most of the code means by an upstream. */
export type UpstreamConfig = Extract<AnyUpstreamConfig, { kind: 'oidc' }>
export type OAuth2UpstreamConfig = Extract<AnyUpstreamConfig, { kind: 'oauth2' }>
export type ClientConfig = Config['clients'][string]
export type StorageConfig = Config['storage']
export type { ClaimRule } from './claim-rule.ts'

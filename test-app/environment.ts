// What the environment says about this process: one table gives the settings and `--help`.
import { EnvError, envHelp, readEnv } from '../service/env.ts'
import type { EnvTable } from '../service/env.ts'
import { LOG_LEVELS } from '../service/log.ts'
import type { LogLevel } from '../service/log.ts'
import type { TlsFiles } from '../service/tls-files.ts'
import { trustedProxies } from '../service/trusted-proxies.ts'
import type { SharedSecret } from './service-log/service-log.ts'

export interface TestAppSettings {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Public origin; undefined means the address that the app listens on. */
  readonly url: string | undefined
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope: string
  readonly identityUrl: string
  readonly deviceClientId: string
  readonly logAudience: string
  readonly worker: SharedSecret | undefined
  readonly trustedProxies: readonly string[] | undefined
  readonly cookieName: string
  readonly tls: TlsFiles | undefined
  readonly redisUrl: string | undefined
  readonly dataFolder: string
  readonly sessionSecret: string | undefined
  readonly logLevel: LogLevel
  /** Tools may ask /graphql for its schema; not with NODE_ENV=production. */
  readonly isOpenForTools: boolean
}

const TABLE = {
  TEST_APP_HOST: { kind: 'string', default: '127.0.0.1', help: 'address to listen on' },
  TEST_APP_PORT: { kind: 'port', default: '8080', help: 'port to listen on; 0 takes a free one' },
  TEST_APP_URL: {
    kind: 'url',
    optional: true,
    help: 'public origin, as registered at the adapter (default: where it listens)',
  },
  TEST_APP_ISSUER: {
    kind: 'url',
    default: (textOf) => `http://127.0.0.1:${textOf('ADAPTER_PORT') || '9000'}`,
    help: 'issuer of the adapter; the default follows ADAPTER_PORT',
  },
  TEST_APP_CLIENT_ID: { kind: 'string', default: 'client', help: 'client_id at the adapter' },
  TEST_APP_CLIENT_SECRET: { kind: 'string', default: 'secret', help: 'its client_secret' },
  TEST_APP_SCOPE: { kind: 'string', default: 'openid profile read', help: 'scope to ask for' },
  TEST_APP_IDENTITY_URL: {
    kind: 'url',
    default: (textOf) => `http://127.0.0.1:${textOf('UPSTREAM_PORT') || '9001'}`,
    help: 'origin of the identity service behind /api/auth and /login.html; the default follows UPSTREAM_PORT',
  },
  TEST_APP_DEVICE_CLIENT_ID: {
    kind: 'string',
    default: 'device',
    help: 'client_id of the device that the page /device plays; it has no secret',
  },
  TEST_APP_LOG_AUDIENCE: {
    kind: 'string',
    default: 'logging-backend',
    help: 'what tokens for POST /log have as aud',
  },
  TEST_APP_WORKER_SECRET: {
    kind: 'string',
    optional: true,
    help: 'at least 32 bytes: a service that has it too may sign its tokens for POST /log itself (HS256)',
  },
  TEST_APP_WORKER_ISSUER: { kind: 'string', default: 'worker', help: 'iss of those tokens' },
  TEST_APP_TRUSTED_PROXIES: {
    kind: 'list',
    optional: true,
    help: 'proxies before this app whose X-Forwarded-For is believed: addresses and CIDR ranges, comma separated; default: none',
  },
  TEST_APP_COOKIE: {
    kind: 'string',
    default: 'TEST_APP_SESSION',
    help: 'name of the session cookie; two apps on one host need two names',
  },
  TEST_APP_NAME: { kind: 'string', default: 'Test app', help: 'name shown on the pages' },
  TEST_APP_TLS_CERT: {
    kind: 'string',
    optional: true,
    help: 'certificate file (PEM): listens on https',
  },
  TEST_APP_TLS_KEY: { kind: 'string', optional: true, help: 'private key file (PEM)' },
  TEST_APP_SESSION_SECRET: {
    kind: 'string',
    optional: true,
    help: 'at least 32 characters; else one is generated in the data folder',
  },
  REDIS_URL: {
    kind: 'string',
    optional: true,
    help: 'sessions live in Redis; else in test-app.sqlite',
  },
  AUTH_ADAPTER_DATA: { kind: 'string', default: 'data', help: 'folder of generated files' },
  LOG_LEVEL: { kind: 'string', default: 'info', help: LOG_LEVELS.join(', ') },
} as const satisfies EnvTable

type Environment = Readonly<Record<string, string | undefined>>

/** The text of `--help`. */
export function environmentHelp(env: Environment): string {
  return envHelp('node test-app/main.ts [--help]', TABLE, env)
}

/** Reads every setting. @throws {EnvError} with every fault found */
export function readEnvironment(env: Environment): TestAppSettings {
  const values = readEnv(env, TABLE)
  const faults = RULES.flatMap(([isMet, fault]) => (isMet(values) ? [] : [fault]))
  if (faults.length > 0) throw new EnvError(faults)
  const { TEST_APP_TLS_CERT: cert, TEST_APP_TLS_KEY: key, TEST_APP_WORKER_SECRET: secret } = values
  return {
    name: values.TEST_APP_NAME,
    host: values.TEST_APP_HOST,
    port: values.TEST_APP_PORT,
    url: values.TEST_APP_URL && new URL(values.TEST_APP_URL).origin,
    issuer: values.TEST_APP_ISSUER,
    clientId: values.TEST_APP_CLIENT_ID,
    clientSecret: values.TEST_APP_CLIENT_SECRET,
    scope: values.TEST_APP_SCOPE,
    identityUrl: new URL(values.TEST_APP_IDENTITY_URL).origin,
    deviceClientId: values.TEST_APP_DEVICE_CLIENT_ID,
    logAudience: values.TEST_APP_LOG_AUDIENCE,
    worker: secret ? { issuer: values.TEST_APP_WORKER_ISSUER, secret } : undefined,
    trustedProxies: values.TEST_APP_TRUSTED_PROXIES,
    cookieName: values.TEST_APP_COOKIE,
    tls: cert && key ? { cert, key } : undefined,
    redisUrl: values.REDIS_URL,
    dataFolder: values.AUTH_ADAPTER_DATA,
    sessionSecret: values.TEST_APP_SESSION_SECRET,
    logLevel: values.LOG_LEVEL as LogLevel,
    isOpenForTools: env['NODE_ENV'] !== 'production',
  }
}

type Values = ReturnType<typeof readEnv<typeof TABLE>>

const RULES: readonly (readonly [isMet: (values: Values) => boolean, fault: string])[] = [
  [
    ({ TEST_APP_URL: url }) => !url || isOrigin(url),
    'TEST_APP_URL: expected an origin without a path, such as https://app.example',
  ],
  [
    ({ TEST_APP_TRUSTED_PROXIES: list }) => areProxies(list ?? []),
    'TEST_APP_TRUSTED_PROXIES: expected addresses or CIDR ranges',
  ],
  [
    ({ TEST_APP_ISSUER: issuer }) => isSafe(issuer),
    'TEST_APP_ISSUER: http is accepted on loopback only, use https',
  ],
  [
    ({ TEST_APP_IDENTITY_URL: url }) => isSafe(url) && isOrigin(url),
    'TEST_APP_IDENTITY_URL: expected an origin without a path; http is accepted on loopback only, use https',
  ],
  [
    ({ TEST_APP_COOKIE: name }) => /^[A-Za-z0-9_-]{1,64}$/.test(name),
    'TEST_APP_COOKIE: expected letters, digits, "_" and "-"',
  ],
  [
    ({ TEST_APP_TLS_CERT: cert, TEST_APP_TLS_KEY: key }) => !cert === !key,
    'TEST_APP_TLS_CERT and TEST_APP_TLS_KEY: set both or none',
  ],
  [
    ({ TEST_APP_SESSION_SECRET: secret }) => !secret || secret.length >= 32,
    'TEST_APP_SESSION_SECRET: expected at least 32 characters',
  ],
  [
    ({ TEST_APP_WORKER_SECRET: secret }) => !secret || Buffer.byteLength(secret) >= 32,
    'TEST_APP_WORKER_SECRET: expected at least 32 bytes',
  ],
  [
    // One issuer, one kind of key: whoever has the secret must not pass for the adapter.
    ({ TEST_APP_WORKER_ISSUER: worker, TEST_APP_ISSUER: adapter }) => worker !== adapter,
    'TEST_APP_WORKER_ISSUER: expected another issuer than TEST_APP_ISSUER',
  ],
  [
    // It stands in a header, in quotation marks.
    ({ TEST_APP_LOG_AUDIENCE: audience }) => /^[\w.:/-]{1,100}$/.test(audience),
    'TEST_APP_LOG_AUDIENCE: expected letters, digits, and "_", ".", ":", "/", "-"',
  ],
  [
    ({ LOG_LEVEL: level }) => LOG_LEVELS.some((known) => known === level),
    `LOG_LEVEL: expected one of ${LOG_LEVELS.join(', ')}`,
  ],
]

function areProxies(list: readonly string[]): boolean {
  try {
    trustedProxies(list)
    return true
  } catch {
    return false
  }
}

function isOrigin(text: string): boolean {
  const { pathname, search } = new URL(text)
  return pathname === '/' && search === ''
}

/** What is sent there is read on the way by nobody else. */
export function isSafe(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' || isLoopback(hostname)
}

export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

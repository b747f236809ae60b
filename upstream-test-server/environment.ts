// The environment variables of the test server, and the options they become.
import { join } from 'node:path'
import { EnvError, readEnv } from '../service/env.ts'
import type { EnvTable } from '../service/env.ts'
import { trustedProxies } from '../service/trusted-proxies.ts'
import { LOG_LEVELS } from '../service/log.ts'
import type { LogLevel } from '../service/log.ts'
import { demoIssuersFor } from './issuers/demo-issuers.ts'
import { owaspCost } from './people/password.ts'
import type { StartOptions } from './start.ts'
import { clientsFrom, hasTestToken, tokenServiceTable } from './token-service/environment.ts'

const adapterUrl = (port: string, path: string) =>
  `http://127.0.0.1:${port || '9000'}/${path}/test-auth-server`

export const environmentTable = {
  UPSTREAM_HOST: { kind: 'string', default: '127.0.0.1', help: 'address to listen on' },
  UPSTREAM_PORT: { kind: 'port', default: '9001', help: 'port to listen on, 0 for a free one' },
  UPSTREAM_CONTROL_PORT: {
    kind: 'port',
    optional: true,
    help: 'opens the control listener on loopback, where tests switch misbehaviour; default: closed',
  },
  UPSTREAM_ISSUER: {
    kind: 'url',
    optional: true,
    help: 'issuer; default: the address listened on',
  },
  UPSTREAM_CLIENT_ID: {
    kind: 'string',
    default: 'test-client',
    help: 'the client that may ask for sign-ins',
  },
  UPSTREAM_CLIENT_SECRET: {
    kind: 'string',
    default: 'test-secret',
    secret: true,
    help: 'its secret',
  },
  UPSTREAM_REDIRECT_URIS: {
    kind: 'urls',
    default: (textOf) => adapterUrl(textOf('ADAPTER_PORT'), 'login/oauth2/code'),
    help: 'its redirect URIs, exact, comma separated',
  },
  UPSTREAM_POST_LOGOUT_REDIRECT_URIS: {
    kind: 'urls',
    default: (textOf) => adapterUrl(textOf('ADAPTER_PORT'), 'logout/callback'),
    help: 'where it may be sent to after sign-out, comma separated',
  },
  UPSTREAM_BACKCHANNEL_LOGOUT_URI: {
    kind: 'url',
    default: (textOf) => adapterUrl(textOf('ADAPTER_PORT'), 'logout/backchannel'),
    help: 'where it is told that a person signed out here',
  },
  ...tokenServiceTable,
  UPSTREAM_TRUSTED_PROXIES: {
    kind: 'list',
    optional: true,
    help: 'gateways whose X-Forwarded-For and X-Request-Id are believed: addresses and CIDR ranges, comma separated; default: none',
  },
  UPSTREAM_TLS_CERT: {
    kind: 'string',
    optional: true,
    help: 'PEM file; with the key, serves https',
  },
  UPSTREAM_TLS_KEY: { kind: 'string', optional: true, help: 'PEM file' },
  UPSTREAM_DATABASE: {
    kind: 'string',
    default: (textOf) => join(textOf('AUTH_ADAPTER_DATA') || 'data', 'upstream.sqlite'),
    help: 'SQLite file, or :memory:',
  },
  UPSTREAM_PASSWORD_MEMORY_KIB: {
    kind: 'string',
    default: String(owaspCost.memoryKib),
    help: 'argon2id memory of newly seeded people; lower makes many sign-ins cheap',
  },
  AUTH_ADAPTER_DATA: { kind: 'string', default: 'data', help: 'folder of the database' },
  LOG_LEVEL: { kind: 'string', default: 'info', help: LOG_LEVELS.join(', ') },
} as const satisfies EnvTable

export interface Environment {
  logLevel: LogLevel
  start: Omit<StartOptions, 'log'>
}

type Env = Readonly<Record<string, string | undefined>>

function logLevelFrom(text: string): LogLevel {
  const level = LOG_LEVELS.find((known) => known === text)
  if (!level) throw new EnvError([`LOG_LEVEL: expected one of ${LOG_LEVELS.join(', ')}`])
  return level
}

function memoryKibFrom(text: string): number {
  // At least 8 KiB for each lane: https://www.rfc-editor.org/rfc/rfc9106.html#section-3.1
  if (!/^\d{1,7}$/.test(text) || Number(text) < 8)
    throw new EnvError(['UPSTREAM_PASSWORD_MEMORY_KIB: expected a number from 8'])
  return Number(text)
}

// A slash or a path would be part of the issuer that relying parties compare.
function issuerFrom(text: string | undefined): string | undefined {
  if (text !== undefined && new URL(text).origin !== text)
    throw new EnvError([
      `UPSTREAM_ISSUER: expected scheme, host and port only, like ${new URL(text).origin}`,
    ])
  return text
}

function proxiesFrom(list: readonly string[] | undefined): readonly string[] | undefined {
  try {
    trustedProxies(list ?? [])
  } catch {
    throw new EnvError(['UPSTREAM_TRUSTED_PROXIES: expected addresses or CIDR ranges'])
  }
  return list
}

function tlsFrom(cert: string | undefined, key: string | undefined): StartOptions['tls'] {
  if (cert === undefined && key === undefined) return undefined
  if (cert === undefined || key === undefined)
    throw new EnvError(['UPSTREAM_TLS_CERT and UPSTREAM_TLS_KEY go together'])
  return { cert, key }
}

/** @throws {EnvError} naming the variable at fault */
export function readEnvironment(env: Env): Environment {
  const values = readEnv(env, environmentTable)
  const client = {
    clientId: values.UPSTREAM_CLIENT_ID,
    clientSecret: values.UPSTREAM_CLIENT_SECRET,
    redirectUris: values.UPSTREAM_REDIRECT_URIS,
    backchannelLogoutUri: values.UPSTREAM_BACKCHANNEL_LOGOUT_URI,
    postLogoutRedirectUris: values.UPSTREAM_POST_LOGOUT_REDIRECT_URIS,
  }
  return {
    logLevel: logLevelFrom(values.LOG_LEVEL),
    start: {
      issuer: issuerFrom(values.UPSTREAM_ISSUER),
      host: values.UPSTREAM_HOST,
      port: values.UPSTREAM_PORT,
      controlPort: values.UPSTREAM_CONTROL_PORT,
      tls: tlsFrom(values.UPSTREAM_TLS_CERT, values.UPSTREAM_TLS_KEY),
      databaseFile: values.UPSTREAM_DATABASE,
      passwordCost: { ...owaspCost, memoryKib: memoryKibFrom(values.UPSTREAM_PASSWORD_MEMORY_KIB) },
      clients: clientsFrom(values, client),
      trustedProxies: proxiesFrom(values.UPSTREAM_TRUSTED_PROXIES),
      hasTestToken: hasTestToken(values, env['NODE_ENV']),
      issuers: demoIssuersFor(client),
    },
  }
}

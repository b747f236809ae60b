// What the worker is told by its environment; in the demo nothing.
import path from 'node:path'
import { EnvError, envHelp, readEnv } from '../../service/env.ts'
import type { EnvTable } from '../../service/env.ts'
import { readSecretFile } from '../../service/secret-file.ts'
import { isSafe } from '../environment.ts'

export interface WorkerSettings {
  /** Of the adapter. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** What to ask the adapter a token for. */
  readonly resource: string
  readonly logUrl: string
  readonly audience: string
  /** `iss` of the tokens that the worker signs itself. */
  readonly ownIssuer: string
  readonly sharedSecret: string
}

const TABLE = {
  WORKER_LOG_URL: {
    kind: 'url',
    default: (textOf) => `http://127.0.0.1:${textOf('TEST_APP_PORT') || '8080'}/log`,
    help: 'where lines are sent; the default follows TEST_APP_PORT',
  },
  TEST_APP_ISSUER: {
    kind: 'url',
    default: (textOf) => `http://127.0.0.1:${textOf('ADAPTER_PORT') || '9000'}`,
    help: 'issuer of the adapter; the default follows ADAPTER_PORT',
  },
  WORKER_CLIENT_ID: { kind: 'string', default: 'worker', help: 'client_id at the adapter' },
  WORKER_SECRET: { kind: 'string', default: 'worker-secret', help: 'its client_secret' },
  WORKER_RESOURCE: {
    kind: 'string',
    default: 'urn:logging-backend',
    help: 'what the token of the adapter is asked for',
  },
  TEST_APP_LOG_AUDIENCE: { kind: 'string', default: 'logging-backend', help: 'aud of tokens' },
  TEST_APP_WORKER_ISSUER: {
    kind: 'string',
    default: 'worker',
    help: 'iss of the tokens that the worker signs itself',
  },
  TEST_APP_WORKER_SECRET: {
    kind: 'string',
    optional: true,
    help: 'what they are signed with, at least 32 bytes (default: worker.secret in the data folder, as npm start makes it)',
  },
  AUTH_ADAPTER_DATA: { kind: 'string', default: 'data', help: 'folder of generated files' },
} as const satisfies EnvTable

type Environment = Readonly<Record<string, string | undefined>>

/** The text of `--help`. */
export function workerHelp(env: Environment): string {
  return envHelp('npm run worker [-- --help]', TABLE, env)
}

/** @throws {EnvError} with every fault found */
export function readWorkerEnvironment(env: Environment): WorkerSettings {
  const values = readEnv(env, TABLE)
  const file = path.join(values.AUTH_ADAPTER_DATA, 'worker.secret')
  const secret = values.TEST_APP_WORKER_SECRET ?? readSecretFile(file)
  const faults = [
    // Tokens travel to both.
    ...(['WORKER_LOG_URL', 'TEST_APP_ISSUER'] as const).flatMap((name) =>
      isSafe(values[name]) ? [] : [`${name}: http is accepted on loopback only, use https`],
    ),
    ...secretFaults(secret, file),
  ]
  if (secret === undefined || faults.length > 0) throw new EnvError(faults)
  return {
    issuer: values.TEST_APP_ISSUER,
    clientId: values.WORKER_CLIENT_ID,
    clientSecret: values.WORKER_SECRET,
    resource: values.WORKER_RESOURCE,
    logUrl: values.WORKER_LOG_URL,
    audience: values.TEST_APP_LOG_AUDIENCE,
    ownIssuer: values.TEST_APP_WORKER_ISSUER,
    sharedSecret: secret,
  }
}

function secretFaults(secret: string | undefined, file: string): string[] {
  if (secret === undefined)
    return [`TEST_APP_WORKER_SECRET is not set, and there is no ${file}: npm start makes it`]
  return Buffer.byteLength(secret) < 32
    ? ['TEST_APP_WORKER_SECRET: expected at least 32 bytes']
    : []
}

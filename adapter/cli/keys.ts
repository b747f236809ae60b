// `auth-adapter keys list | rotate | revoke`: the running adapter is asked, and what it answers is put in words.
import { loadConfig } from '../config/load-config.ts'
import { ConfigError } from '../errors.ts'
import type {
  KeysAnswer,
  ListedKey,
  RevokeAnswer,
  RotateAnswer,
} from '../provider/keys/key-routes.ts'
import { adminRequest, reportAdminError } from './admin-client.ts'
import { alignedRows } from './aligned-rows.ts'
import { reportConfigError } from './report-config-error.ts'

export interface KeysOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

/** 0 done, 1 the adapter could not be asked or refuses, 2 the configuration can not be used. */
export const listKeys = (options: KeysOptions): Promise<0 | 1 | 2> =>
  ask(options, 'GET /api/keys', undefined, (body) => table(body as KeysAnswer))

/** As `listKeys`. `isUrgent`: without waiting until the key has been published long enough. */
export const rotateKeys = (options: KeysOptions, isUrgent: boolean): Promise<0 | 1 | 2> =>
  ask(options, 'POST /api/keys/rotate', { now: isUrgent }, (body) => rotated(body as RotateAnswer))

/** As `listKeys`; 1 also where no key has this kid. */
export const revokeKey = (options: KeysOptions, kid: string): Promise<0 | 1 | 2> =>
  ask(options, 'POST /api/keys/revoke', { kid }, (body) => revoked(body as RevokeAnswer))

async function ask(
  { file, env, isJson }: KeysOptions,
  route: string,
  request: object | undefined,
  inWords: (body: unknown) => string,
): Promise<0 | 1 | 2> {
  try {
    const { config } = loadConfig({ file, env })
    const { status, body } = await adminRequest({ config, env }, route, request)
    if (isJson) process.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    else if (status === 200) process.stdout.write(`${inWords(body)}\n`)
    else process.stderr.write(`${refusalIn(body, status)}.\n`)
    return status === 200 ? 0 : 1
  } catch (error) {
    return error instanceof ConfigError
      ? reportConfigError(error, isJson)
      : reportAdminError(error, isJson)
  }
}

function refusalIn(body: unknown, status: number): string {
  const { error_description: why } = body as { error_description?: string }
  return why ?? `The adapter answered with status ${status}`
}

function rotated(body: RotateAnswer): string {
  const done =
    body.outcome === 'rotated'
      ? `${body.kid} signs from now on.`
      : `${body.kid} is published, and signs from ${inMinutes(body.signs_at)}.`
  return `${done}\n\n${table(body)}`
}

function revoked({ kid, signs, effects, ...body }: RevokeAnswer): string {
  const told = effects.map((effect) => `- ${effect}.`).join('\n')
  return `${kid} is revoked. ${signs} signs from now on.\n${told}\n\n${table(body)}`
}

function table({ keys, rotated: isRotated }: KeysAnswer): string {
  const rows = alignedRows([['kid', 'alg', 'state', 'since', 'next'], ...keys.map(rowOf)])
  return isRotated
    ? rows
    : `${rows}\n\nThese are the keys of keys.file or keys.signer: rotating them is up to whoever gives them.`
}

function rowOf({ kid, alg, state, since, next }: ListedKey): string[] {
  const after = next ? `${next.state} ${inMinutes(next.at)}` : ''
  return [kid, alg, state, since === undefined ? '' : inMinutes(since), after]
}

/** `2026-01-31 09:30 UTC` */
const inMinutes = (isoTime: string) => `${isoTime.slice(0, 16).replace('T', ' ')} UTC`

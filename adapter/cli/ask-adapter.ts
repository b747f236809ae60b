// One question of a command to the running adapter: what it answers goes to standard output, why it refuses to standard error.
import { loadConfig } from '../config/load-config.ts'
import { ConfigError } from '../errors.ts'
import { adminRequest, reportAdminError } from './admin-client.ts'
import { reportConfigError } from './report-config-error.ts'

export interface AskOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

/** 0 done, 1 the adapter could not be asked or refuses, 2 the configuration can not be used. */
export async function askAdapter(
  { file, env, isJson }: AskOptions,
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
    return reportAskError(error, isJson)
  }
}

/** 2 the configuration can not be used, 1 the adapter could not be asked. */
export function reportAskError(error: unknown, isJson: boolean): 1 | 2 {
  return error instanceof ConfigError
    ? reportConfigError(error, isJson)
    : reportAdminError(error, isJson)
}

/** Why, as the adapter says it; without a full stop. */
export function refusalIn(body: unknown, status: number): string {
  const { error_description: why } = body as { error_description?: string }
  return why ?? `The adapter answered with status ${status}`
}

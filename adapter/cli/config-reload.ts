// `auth-adapter config reload`: the running adapter reads its configuration again, and says what it took, or why not.
import { formatFaults } from '../config/format-fault.ts'
import { loadConfig } from '../config/load-config.ts'
import { ConfigError, type ConfigFault } from '../errors.ts'
import type { ReloadOutcome } from '../reload/reload.ts'
import { adminRequest, reportAdminError } from './admin-client.ts'

export interface ReloadCommandOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

/** 0 taken or nothing changed, 1 otherwise: the configuration in force stays. */
export async function reloadConfig(options: ReloadCommandOptions): Promise<0 | 1> {
  try {
    const { config } = loadConfig({ file: options.file, env: options.env })
    const { body } = await adminRequest({ config, env: options.env }, 'POST /api/config/reload')
    return tell(body as ReloadOutcome, options.isJson)
  } catch (error) {
    // What can not be read here can not be read there, and names no adapter to ask.
    if (error instanceof ConfigError)
      return tell({ outcome: 'rejected', faults: error.faults }, options.isJson)
    return reportAdminError(error, options.isJson)
  }
}

function tell(body: ReloadOutcome, isJson: boolean): 0 | 1 {
  const isDone = body.outcome === 'taken' || body.outcome === 'unchanged'
  const out = isDone || isJson ? process.stdout : process.stderr
  out.write(isJson ? `${JSON.stringify(body, null, 2)}\n` : `${inWords(body)}\n`)
  return isDone ? 0 : 1
}

function inWords(body: ReloadOutcome): string {
  switch (body.outcome) {
    case 'taken':
      return ['The configuration was taken over.', ...changes(body)].join('\n')
    case 'unchanged':
      return 'Nothing changed: the configuration is the one in force.'
    case 'rejected':
      return rejected(body.faults)
    case 'needs_restart':
      return `${body.message}.`
    default:
      // Nothing is in force yet.
      return (body as { error_description?: string }).error_description ?? JSON.stringify(body)
  }
}

function rejected(faults: readonly ConfigFault[]): string {
  return `${formatFaults(faults, process.cwd())}The running adapter keeps the configuration it has.`
}

function changes({ added, removed, changed }: Extract<ReloadOutcome, { outcome: 'taken' }>) {
  return [
    ...added.map((path) => `  + ${path}`),
    ...removed.map((path) => `  - ${path}`),
    ...changed.map((line) => `  ~ ${line}`),
  ]
}

// `auth-adapter config validate`: all faults of the configuration in one run.
import { loadConfig } from '../config/load-config.ts'
import { reportingConfigErrors } from './report-config-error.ts'

export interface ValidateOptions {
  file: string | undefined
  env: Readonly<Record<string, string | undefined>>
  isJson: boolean
}

export function validateConfig(options: ValidateOptions): 0 | 1 | 2 {
  return reportingConfigErrors(options.isJson, () => {
    const { config, file } = loadConfig({ file: options.file, env: options.env })
    const upstreams = Object.keys(config.upstreams)
    const clients = Object.keys(config.clients)
    const summary = `${file} is valid. Upstreams: ${upstreams.join(', ')}. Clients: ${clients.join(', ') || 'none'}.`
    process.stdout.write(
      options.isJson
        ? `${JSON.stringify({ valid: true, file, upstreams, clients })}\n`
        : `${summary}\n`,
    )
    return 0
  })
}

// The commands `auth-adapter config …`: their options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

type Environment = Readonly<Record<string, string | undefined>>

const DEFAULT_FILE = 'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)'

export function addConfigCommands(
  config: Command,
  env: Environment,
  finish: (code: ExitCode) => void,
): void {
  addConfigChecks(config, env, finish)
  addConfigPrint(config, env, finish)
  addConfigReload(config, env, finish)
}

function addConfigChecks(
  config: Command,
  env: Environment,
  finish: (code: ExitCode) => void,
): void {
  config
    .command('validate')
    .description('say everything that is wrong with the configuration, and where')
    .argument('[file]', DEFAULT_FILE)
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nWith NODE_ENV=production the rules of production apply too.')
    .action(async (file: string | undefined, { json }: { json?: boolean }) => {
      const { validateConfig } = await import('./config-validate.ts')
      finish(validateConfig({ file, env, isJson: json === true }))
    })

  config
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .option('--json', 'the same: the schema is JSON')
    .action(async () => {
      const { printSchema } = await import('./config-schema.ts')
      finish(printSchema())
    })
}

function addConfigPrint(config: Command, env: Environment, finish: (code: ExitCode) => void): void {
  config
    .command('print')
    .description(
      'print the configuration in force, with defaults and overrides; secrets are masked',
    )
    .argument('[file]', DEFAULT_FILE)
    .option('--origins', 'one setting a line, with the place that each value comes from')
    .option('--json', 'print one JSON object')
    .action(
      async (
        file: string | undefined,
        { origins, json }: { origins?: boolean; json?: boolean },
      ) => {
        const { printConfig } = await import('./config-print.ts')
        finish(printConfig({ file, env, hasOrigins: origins === true, isJson: json === true }))
      },
    )
}

function addConfigReload(
  config: Command,
  env: Environment,
  finish: (code: ExitCode) => void,
): void {
  config
    .command('reload')
    .description('have the running adapter take over its configuration file as it is now')
    .option('-c, --config <file>', DEFAULT_FILE)
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nTaken over, or nothing changed, ends with 0. A file with faults, or a change that needs a restart, ends with 1:\nthen the adapter keeps what it has. SIGHUP and saving the file do the same.',
    )
    .action(async ({ config: file, json }: { config?: string; json?: boolean }) => {
      const { reloadConfig } = await import('./config-reload.ts')
      finish(await reloadConfig({ file, env, isJson: json === true }))
    })
}

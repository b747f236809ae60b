// `auth-adapter logout explain <sid>`: which apps of an ended session were told, and what they said.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  config?: string
  json?: boolean
}

export function addLogoutCommands(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('logout')
    .description('what became of a logout')
    .command('explain')
    .description('which apps of an ended session were told, which answered, and which did not')
    .argument('<sid>', 'the session, as the ID token of any of its apps names it')
    .option(
      '-c, --config <file>',
      'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)',
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nKnown for a day. Ends with 1 when no such session ended.')
    .action(async (sid: string, { config, json }: Flags) => {
      const { explainLogoutOf } = await import('./sessions.ts')
      finish(await explainLogoutOf({ file: config, env, isJson: json === true }, sid))
    })
}

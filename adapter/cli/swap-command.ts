// The commands `auth-adapter swap …`: their options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  to: string
  config?: string
  json?: boolean
}

export function addSwapCommands(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('swap')
    .description('move people from one identity provider to another')
    .command('plan')
    .description('count whom a move would concern, and whose sub would change; changes nothing')
    .requiredOption('--to <name>', 'the upstream that people are to come from')
    .option(
      '-c, --config <file>',
      'configuration file, also a draft of the next one (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nAsks the running adapter, by the admin settings of the file. Where the file has the upstream, its settings there\ncount, in force or not. Ends with 2 when there is no such upstream.',
    )
    .action(async ({ to, config, json }: Flags) => {
      const { printSwapPlan } = await import('./swap-plan.ts')
      finish(await printSwapPlan({ to, file: config, env, isJson: json === true }))
    })
}

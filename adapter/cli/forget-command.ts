// `auth-adapter forget <sub>`: its options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  dryRun?: boolean
  dropQueue?: boolean
  config?: string
  json?: boolean
}

export function addForgetCommand(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('forget')
    .description('erase everything about a person, and prove it; their apps are told first')
    .argument('<sub>', 'the person, as `sessions list` shows them')
    .option('--dry-run', 'erase nothing; say what there is')
    .option('--drop-queue', 'do not keep logout tokens for apps that do not take them now')
    .option(
      '-c, --config <file>',
      'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)',
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nEnds with 1 when something is left, or when there was nothing. Whoever signs in again is known again.',
    )
    .action(async (sub: string, { dryRun, dropQueue, config, json }: Flags) => {
      const { forget } = await import('./forget.ts')
      const flags = { isDryRun: dryRun === true, isQueueDropped: dropQueue === true }
      finish(await forget({ file: config, env, isJson: json === true, sub, ...flags }))
    })
}

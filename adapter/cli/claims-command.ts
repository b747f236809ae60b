// `auth-adapter claims explain`: its options and help. What it does is in claims-explain.ts, imported when it is called.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  upstream: string
  idToken: string
  userinfo?: string
  client?: string
  config?: string
  json?: boolean
}

export function addClaimsExplain(
  claims: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  claims
    .command('explain')
    .description(
      'say of each claim that a token would give where it comes from, and what is dropped',
    )
    .requiredOption('--upstream <name>', 'the upstream whose rules apply')
    .requiredOption(
      '--id-token <file>',
      'its ID token: a JWT, or its claims as JSON; - reads standard input',
    )
    .option('--userinfo <file>', 'its userinfo answer, as JSON or JWT')
    .option('--client <id>', 'with the rules of this app, and what it may ask for')
    .option('-c, --config <file>', 'configuration file')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nSignatures and times are not checked. Exit code 1: such a sign-in would fail.',
    )
    .action(async ({ config, json, ...flags }: Flags) => {
      const { explainTokenClaims } = await import('./claims-explain.ts')
      finish(await explainTokenClaims({ ...flags, file: config, env, isJson: json === true }))
    })
}

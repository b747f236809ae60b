// The commands `auth-adapter sessions …`: their options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  user?: string
  client?: string
  upstream?: string
  all?: boolean
  consents?: boolean
  config?: string
  json?: boolean
}

export function addSessionsCommands(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  const sessions = program.command('sessions').description('show and end sessions of people')
  const add = (name: string, description: string) =>
    sessions
      .command(name)
      .description(description)
      .option('--user <sub>', 'of one person, as apps without `subject: pairwise` see the sub')
      .option('--client <id>', 'that an app takes part in')
      .option('--upstream <name>', 'of the people of one upstream')
      .option(
        '-c, --config <file>',
        'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)',
      )
      .option('--json', 'print one JSON object')

  add('list', 'who is signed in').action(async (flags: Flags) => {
    const { listSessions } = await import('./sessions.ts')
    finish(await listSessions(optionsFrom(flags, env)))
  })

  add('revoke', 'end sessions at once, with their tokens and refresh tokens; their apps are told')
    .option('--all', 'of everybody')
    .option('--consents', 'with --user or --client: apps of others ask anew what they may have')
    .addHelpText('after', '\nSay exactly one of --user, --client, --upstream and --all.')
    .action(async (flags: Flags) => {
      const { revokeSessions } = await import('./sessions.ts')
      const withConsents = flags.consents === true
      finish(await revokeSessions({ ...optionsFrom(flags, env), withConsents }))
    })
}

function optionsFrom(
  { user, client, upstream, all, config, json }: Flags,
  env: Readonly<Record<string, string | undefined>>,
) {
  const given = { user, client, upstream, ...(all === true ? { all: 'true' } : {}) }
  const selected = Object.entries(given).flatMap(([kind, name]) =>
    name === undefined ? [] : [[kind, name] as const],
  )
  return { selected, file: config, env, isJson: json === true }
}

#!/usr/bin/env node
// `auth-adapter <command>`: names, options and help of the commands. What each does is in cli/, imported when it is called.
import { Command, CommanderError } from 'commander'
import { addClaimsExplain } from './cli/claims-command.ts'
import { addClientCommands } from './cli/client/client-command.ts'
import { addConfigCommands } from './cli/config-command.ts'
import { addForgetCommand } from './cli/forget-command.ts'
import { addKeysCommands } from './cli/keys-command.ts'
import { addLogoutCommands } from './cli/logout-command.ts'
import { addSessionsCommands } from './cli/sessions-command.ts'
import { addSwapCommands } from './cli/swap-command.ts'
import { addUpstreamCommands } from './cli/upstream-commands.ts'

/** 0 done, 1 failed, 2 wrong usage or configuration. */
export type ExitCode = 0 | 1 | 2

type Environment = Readonly<Record<string, string | undefined>>

const EXIT_CODES = '\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration.'
const DEFAULT_FILE = 'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)'

function buildProgram(env: Environment, finish: (code: ExitCode) => void): Command {
  const program = new Command('auth-adapter')
    .description(
      'A chained OAuth 2.0 / OpenID Connect broker: one OpenID Provider to your apps, a client of the providers behind it.',
    )
    .exitOverride()
    .showHelpAfterError('(add --help for what is possible)')
    .addHelpText('after', EXIT_CODES)

  program
    .command('start')
    .description('run the adapter until SIGTERM or Ctrl-C')
    .option('-c, --config <file>', DEFAULT_FILE)
    .addHelpText(
      'after',
      '\nLogs one JSON object a line on standard output; "event":"listening" says where it serves.',
    )
    .action(async ({ config }: { config?: string }) => {
      const { start } = await import('./cli/start.ts')
      finish(await start({ configFile: config, env }))
    })

  const config = program.command('config').description('check, show and reload the configuration')
  addConfigCommands(config, env, finish)
  const claims = program.command('claims').description('explain what apps learn about people')
  addClaimsExplain(claims, env, finish)
  addClientCommands(program, env, finish)
  addUpstreamCommands(program, env, finish)
  addSwapCommands(program, env, finish)
  addKeysCommands(program, env, finish)
  addLogoutCommands(program, env, finish)
  addSessionsCommands(program, env, finish)
  addForgetCommand(program, env, finish)
  return program
}

/** Runs one command and sets the process's exit code. `args` are what follows the program's name. */
export async function runCli(args: readonly string[], env: Environment): Promise<void> {
  const program = buildProgram(env, (code) => {
    process.exitCode = code
  })
  try {
    await program.parseAsync(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    process.exitCode = error.exitCode === 0 ? 0 : 2
  }
}

if (import.meta.main) void runCli(process.argv.slice(2), process.env)

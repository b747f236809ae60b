// The commands `auth-adapter keys …`: their options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../cli.ts'

interface Flags {
  config?: string
  json?: boolean
}

const FILE = 'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)'

export function addKeysCommands(
  program: Command,
  env: Readonly<Record<string, string | undefined>>,
  finish: (code: ExitCode) => void,
): void {
  const keys = program
    .command('keys')
    .description('show, rotate and revoke the keys that sign our tokens')
  const add = (name: string, description: string) =>
    keys
      .command(name)
      .description(description)
      .option('-c, --config <file>', FILE)
      .option('--json', 'print one JSON object')

  add('list', 'the keys, what each does now, and what comes next').action(async (flags: Flags) => {
    const { listKeys } = await import('./keys.ts')
    finish(await listKeys(optionsFrom(flags, env)))
  })

  add('rotate', 'let another key sign, as soon as it has been published long enough')
    .option('--now', 'do not wait: apps that kept the old keys may refuse new tokens for a while')
    .addHelpText(
      'after',
      '\nThe key before stays published until nothing that it signed can be valid any more.',
    )
    .action(async ({ now, ...flags }: Flags & { now?: boolean }) => {
      const { rotateKeys } = await import('./keys.ts')
      finish(await rotateKeys(optionsFrom(flags, env), now === true))
    })

  add('revoke', 'take a key away at once, with everything that it signed')
    .argument('<kid>', 'the key, as `keys list` shows it')
    .addHelpText(
      'after',
      '\nFor a key that somebody else may know. Another key signs from then on.',
    )
    .action(async (kid: string, flags: Flags) => {
      const { revokeKey } = await import('./keys.ts')
      finish(await revokeKey(optionsFrom(flags, env), kid))
    })
}

function optionsFrom({ config, json }: Flags, env: Readonly<Record<string, string | undefined>>) {
  return { file: config, env, isJson: json === true }
}

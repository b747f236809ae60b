// `auth-adapter upstream ...`: names, options and help of its commands.
import type { Command } from 'commander'

type Environment = Readonly<Record<string, string | undefined>>
type Finish = (code: 0 | 1 | 2) => void

const DEFAULT_FILE = 'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)'

export function addUpstreamCommands(program: Command, env: Environment, finish: Finish): void {
  const upstream = program
    .command('upstream')
    .description('look at the identity providers behind the adapter')
  addDoctor(upstream, env, finish)
  addTest(upstream, env, finish)
}

function addDoctor(upstream: Command, env: Environment, finish: Finish): void {
  upstream
    .command('doctor')
    .description('check an upstream before the first login: each fault with its fix')
    .argument('<name>', 'its name in the configuration')
    .option('-c, --config <file>', DEFAULT_FILE)
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nFinding no fault ends with 0, a fault with 1. Nobody is logged in.')
    .action(async (name: string, { config, json }: { config?: string; json?: boolean }) => {
      const { upstreamDoctor } = await import('./upstream-doctor.ts')
      finish(await upstreamDoctor({ name, file: config, env, isJson: json === true }))
    })
}

interface TestOptions {
  config?: string
  live?: string
  client?: string
  json?: boolean
}

function addTest(upstream: Command, env: Environment, finish: Finish): void {
  upstream
    .command('test')
    .description('sign in for a test with a draft configuration: what would tokens say?')
    .argument('<name>', 'its name in the draft')
    .option('-c, --config <file>', `the draft: ${DEFAULT_FILE}`)
    .option('--client <id>', 'the app to look at (default: the first that may use the upstream)')
    .option(
      '--live <file>',
      'the file that the running adapter has (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml, else the draft)',
    )
    .option('--json', 'print one JSON object; the address to open goes to standard error')
    .addHelpText(
      'after',
      '\nPrints an address to open in a browser, and waits up to 10 minutes. Needs the running adapter; nothing is stored, no token is minted.\nEnds with 0 when the draft lets the person in under the same sub, else with 1.',
    )
    .action(async (name: string, { config, live, client, json }: TestOptions) => {
      const { upstreamTest } = await import('./upstream-test.ts')
      const isJson = json === true
      finish(await upstreamTest({ name, file: config, liveFile: live, client, env, isJson }))
    })
}

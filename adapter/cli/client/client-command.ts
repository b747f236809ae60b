// The commands `auth-adapter client …`: their options and help.
import type { Command } from 'commander'
import type { ExitCode } from '../../cli.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface Flags {
  config?: string
  json?: boolean
}

interface AddFlags extends Flags {
  redirectUri?: string[]
  postLogoutRedirectUri?: string[]
  grantType?: string[]
  name?: string
  scope?: string
  public?: boolean
  jwks?: string
}

type Finish = (code: ExitCode) => void
type Add = (name: string, description: string) => Command

const FILE = 'configuration file (default: AUTH_ADAPTER_CONFIG, else auth-adapter.yaml)'
const WRITES =
  '\nThe file is changed only where the outcome is valid; comments and everything else in it stay as they are.'

export function addClientCommands(program: Command, env: Environment, finish: Finish): void {
  const client = program
    .command('client')
    .description('register apps, replace their secrets, and print settings for their libraries')
  const add: Add = (name, description) =>
    client
      .command(name)
      .description(description)
      .option('-c, --config <file>', FILE)
      .option('--json', 'print one JSON object')
  addAdd(add, env, finish)
  addList(add, env, finish)
  addRotate(add, env, finish)
  addSnippet(add, env, finish)
}

const collect = (value: string, before: string[] = []) => [...before, value]

function addAdd(add: Add, env: Environment, finish: Finish): void {
  add('add', 'add an app to the configuration file, and show its new secret once')
    .argument('<client>', 'its client id')
    .option('--redirect-uri <uri>', 'where codes may be sent; may be repeated', collect)
    .option(
      '--post-logout-redirect-uri <uri>',
      'where people may go after logout; may be repeated',
      collect,
    )
    .option('--scope <scopes>', 'the scopes that it may ask for, such as "openid profile"')
    .option('--name <name>', 'what people read on our pages')
    .option(
      '--grant-type <type>',
      'another way to its tokens, such as client_credentials; may be repeated',
      collect,
    )
    .option('--public', 'an app that can keep no secret: in a browser, on a phone')
    .option(
      '--jwks <file>',
      'its public keys (JWK Set): it signs with its own key and has no secret',
    )
    .addHelpText('after', WRITES)
    .action(async (id: string, flags: AddFlags) => {
      const { addClient } = await import('./add-client.ts')
      finish(addClient({ ...optionsFrom(flags, env), ...addOptions(flags), id }))
    })
}

function addOptions(flags: AddFlags) {
  return {
    redirectUris: flags.redirectUri ?? [],
    postLogoutRedirectUris: flags.postLogoutRedirectUri ?? [],
    grantTypes: flags.grantType ?? [],
    name: flags.name,
    scope: flags.scope,
    isPublic: flags.public === true,
    jwks: flags.jwks,
  }
}

function addList(add: Add, env: Environment, finish: Finish): void {
  add('list', 'the apps in the configuration file, and how each proves itself').action(
    async (flags: Flags) => {
      const { listClients } = await import('./list-clients.ts')
      finish(listClients(optionsFrom(flags, env)))
    },
  )
}

function addRotate(add: Add, env: Environment, finish: Finish): void {
  add('rotate-secret', 'give an app a new secret beside the old one; then take the old one away')
    .argument('<client>', 'its client id')
    .option('--drop-old', 'the second step: take the older secret away; no new one is made')
    .addHelpText('after', WRITES)
    .action(async (id: string, { dropOld, ...flags }: Flags & { dropOld?: boolean }) => {
      const { rotateSecret } = await import('./rotate-secret.ts')
      finish(rotateSecret({ ...optionsFrom(flags, env), id, dropOld: dropOld === true }))
    })
}

function addSnippet(add: Add, env: Environment, finish: Finish): void {
  add('snippet', 'print settings that are ready for the library of an app')
    .argument('<client>', 'its client id')
    .option('--for <library>', 'the library; without it they are listed')
    .addHelpText('after', '\nSecrets are not in it: it says where to put them.')
    .action(async (id: string, { for: library, ...flags }: Flags & { for?: string }) => {
      const { printSnippet } = await import('./snippets/print-snippet.ts')
      finish(printSnippet({ ...optionsFrom(flags, env), id, library }))
    })
}

function optionsFrom({ config, json }: Flags, env: Environment) {
  return { file: config, env, isJson: json === true, now: Date.now() }
}

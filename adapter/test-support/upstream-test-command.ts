// `auth-adapter upstream test` as a child process against a chain in this process, and drafts to give it. Test code only.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ADMIN_TOKEN, UPSTREAM, type Chain, type Setting } from './chain.ts'

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url))

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface Command {
  /** The address to open, as soon as it is printed; rejects when the command ends without one. */
  readonly url: Promise<string>
  readonly ended: Promise<Ended>
  kill(): void
}

/** The live upstream of the chain, as its file has it. */
export function liveUpstream({ upstreamIssuer }: Chain): Setting {
  return {
    kind: 'oidc',
    issuer: upstreamIssuer,
    client_id: 'test-client',
    client_secret: 'test-secret',
    scope: 'openid profile',
    subject: 'bare',
    claims: {
      test_auth_server_sub: 'sub',
      preferred_username: 'preferred_username',
      name: 'name',
      authorities: {
        from: 'roles',
        values: { user: 'ROLE_USER', admin: 'ROLE_ADMIN' },
        default: ['ROLE_USER'],
      },
    },
  }
}

/** A whole file whose upstream differs from the live one by `changes`. One rule stands on each line. */
export function writeDraft(
  chain: Chain,
  changes: Setting,
  { name = UPSTREAM, more = {} }: { name?: string; more?: Setting } = {},
): string {
  const settings = {
    issuer: chain.issuer,
    admin: { host: '127.0.0.1', port: Number(new URL(chain.adminUrl).port) },
    data: chain.folder,
    upstreams: { [name]: { ...liveUpstream(chain), ...changes } },
    clients: {
      client: {
        client_secret: 'secret',
        redirect_uris: ['http://127.0.0.1:8080/login/oauth2/code/auth-adapter'],
        scope: 'openid profile read',
      },
    },
    ...more,
  }
  const file = join(chain.folder, `draft-${Math.random().toString(36).slice(2)}.yaml`)
  writeFileSync(file, JSON.stringify(settings, null, 2))
  return file
}

export function startCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Command {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(AUTH_ADAPTER_|NODE_ENV$|FORCE_COLOR$|NO_COLOR$)/.test(name),
  )
  const child = spawn(process.execPath, [CLI, 'upstream', 'test', ...args], {
    env: { ...Object.fromEntries(inherited), AUTH_ADAPTER_ADMIN_TOKEN: ADMIN_TOKEN, ...env },
    cwd: '/',
  })
  const printed = { stdout: '', stderr: '' }
  const url = Promise.withResolvers<string>()
  const look = () => {
    const [found] = /http\S+\/oauth2\/test\/\S+/.exec(printed.stdout + printed.stderr) ?? []
    if (found !== undefined) url.resolve(found)
  }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text
      look()
    })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      url.reject(new Error(`The command ended with ${code}: ${printed.stdout}${printed.stderr}`))
      resolve({ code, ...printed })
    })
  })
  url.promise.catch(() => undefined)
  return { url: url.promise, ended, kill: () => void child.kill() }
}

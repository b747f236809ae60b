// The adapter under measurement: its configuration, its start, and what its own log says of a login.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ManagedProcess } from '../scripts/managed-process.ts'
import { load, REDIRECT_URI, start, type Place, type Surroundings } from './surroundings.ts'

export interface AdapterOptions {
  /** Of the configuration file. */
  name: string
  place: Place
  /** The value of `storage`, as YAML. */
  storage: string
  alg: string
  /** How many are configured beside the one that is signed in at. */
  otherUpstreams?: number
}

const CLAIMS =
  '{ test_auth_server_sub: sub, preferred_username: preferred_username, name: name, authorities: { from: roles, values: { user: ROLE_USER } } }'

/** Nobody is there; nobody has to be until somebody signs in. */
const otherUpstream = (_: unknown, index: number) => `  upstream-${index}:
    kind: oidc
    issuer: http://127.0.0.1:1/${index}
    display_name: Upstream ${index}
    domains: [ "${index}.example" ]
    client_id: test-client
    client_secret: test-secret
    claims: ${CLAIMS}
`

function configuration(upstream: string, options: AdapterOptions): string {
  const { place, storage, alg, otherUpstreams = 0 } = options
  return `issuer: http://127.0.0.1:${place.port}
listen: { port: ${place.port} }
admin: { port: ${place.adminPort} }
storage: ${storage}
keys: { alg: ${alg} }
default_upstream: test-auth-server
upstreams:
  test-auth-server:
    kind: oidc
    issuer: ${upstream}
    client_id: test-client
    client_secret: test-secret
    subject: bare
    claims: ${CLAIMS}
${Array.from({ length: otherUpstreams }, otherUpstream).join('')}clients:
  client: { client_secret: secret, redirect_uris: [ "${REDIRECT_URI}" ], scope: openid profile read }
`
}

async function startOnce(
  file: string,
  folder: string,
): Promise<{ process: ManagedProcess; startMs: number }> {
  const startedAt = performance.now()
  const process = start('adapter', ['adapter/main.ts', '--config', file], {
    AUTH_ADAPTER_DATA: folder,
  })
  await process.listening
  return { process, startMs: performance.now() - startedAt }
}

/** Started twice, so that what is made on first start is there: what is measured is every start after that. */
export async function startAdapter(
  { folder, upstream }: Surroundings,
  options: AdapterOptions,
): Promise<{ process: ManagedProcess; startMs: number }> {
  const file = join(folder, `${options.name}.yaml`)
  writeFileSync(file, configuration(upstream, options))
  await (await startOnce(file, folder)).process.stop()
  return startOnce(file, folder)
}

/** Read from the adapter's own log: each request says how often it waited for the store. */
export async function countRoundTrips(
  adapter: ManagedProcess,
  surroundings: Surroundings,
): Promise<number> {
  const from = adapter.lines.length
  const logins = 20
  await load(surroundings, surroundings.place.port, logins, 1)
  const waits = adapter.lines.slice(from).flatMap((line) => {
    const { event, storage } = JSON.parse(line) as {
      event?: string
      storage?: { round_trips: number }
    }
    return event === 'request.done' && storage ? [storage.round_trips] : []
  })
  // The load generator signs in once more, to open its session at the upstream; that login ends before the token request.
  return waits.reduce((sum, count) => sum + count, 0) / (logins + 1)
}

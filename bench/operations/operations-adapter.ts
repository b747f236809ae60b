// The adapter that operations are measured at: apps that refresh, one that has nobody signed in, and twenty that hear of a logout.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ManagedProcess } from '../../scripts/managed-process.ts'
import type { LoginTarget } from '../chained-login.ts'
import { REDIRECT_URI, start, type Surroundings } from '../surroundings.ts'

/** Of one session that is signed out of. */
export const APPS = 20
export const SECRET = 'secret'

const CLAIMS = '{ preferred_username: preferred_username, name: name }'

const app = (id: string, more: string) =>
  `  ${id}: { client_secret: ${SECRET}, redirect_uris: [ "${REDIRECT_URI}" ], scope: openid profile offline_access, ${more} }`
const refreshing = (coupling: string) =>
  `refresh: { when: always, rotation: always, coupling: ${coupling} }`

/** `hearing` is where the apps are told of a logout: `<hearing>/quick` answers at once, `<hearing>/slow` does not. */
function configuration({ upstream, place, folder }: Surroundings, hearing: string): string {
  const told = (id: string, path: string) => app(id, `backchannel_logout_uri: "${hearing}/${path}"`)
  return `issuer: http://127.0.0.1:${place.port}
listen: { port: ${place.port} }
admin: { port: ${place.adminPort} }
storage: { driver: sqlite, file: ${join(folder, 'operations.sqlite')} }
upstreams:
  test-auth-server:
    kind: oidc
    issuer: ${upstream}
    client_id: test-client
    client_secret: test-secret
    scope: openid profile offline_access
    subject: bare
    logout: never
    claims: ${CLAIMS}
clients:
  machine: { client_secret: ${SECRET}, grant_types: [client_credentials], scope: read }
${[
  app('cached', refreshing('cached')),
  app('leased', refreshing('lease')),
  ...Array.from({ length: APPS }, (_, index) => told(`quick-${index}`, 'quick')),
  told('slow', 'slow'),
].join('\n')}
`
}

export async function startOperationsAdapter(
  surroundings: Surroundings,
  hearing: string,
): Promise<ManagedProcess> {
  const { folder } = surroundings
  const file = join(folder, 'operations.yaml')
  writeFileSync(file, configuration(surroundings, hearing))
  const options = { AUTH_ADAPTER_DATA: folder }
  const process = start('adapter', ['adapter/main.ts', '--config', file], options)
  await process.listening
  return process
}

export const appAt = ({ place }: Surroundings, clientId: string): LoginTarget => ({
  issuer: `http://127.0.0.1:${place.port}`,
  clientId,
  clientSecret: SECRET,
  redirectUri: REDIRECT_URI,
  scope: 'openid profile offline_access',
})

// The environment variables of the token service, and what they become.
import { EnvError } from '../../service/env.ts'
import type { EnvTable, EnvValues } from '../../service/env.ts'
import type { UpstreamClient } from '../provider/provider.ts'

export const tokenServiceTable = {
  UPSTREAM_GATEWAY_CLIENT_ID: {
    kind: 'string',
    default: 'api-gateway',
    help: 'a second client, which need not know PKCE',
  },
  UPSTREAM_GATEWAY_CLIENT_SECRET: {
    kind: 'string',
    default: 'gateway-secret',
    secret: true,
    help: 'its secret',
  },
  UPSTREAM_GATEWAY_REDIRECT_URIS: {
    kind: 'urls',
    default: (textOf) => `http://127.0.0.1:${textOf('TEST_APP_PORT') || '8080'}/callback`,
    help: 'its redirect URIs, exact, comma separated',
  },
  UPSTREAM_SERVICES: {
    kind: 'list',
    default: 'worker:worker-secret:logging-backend',
    secret: true,
    help: 'services and whom they may speak to, comma separated <id>:<secret>:<audience>[ <audience>]; default: worker, to logging-backend',
  },
  UPSTREAM_TEST_TOKEN: {
    kind: 'string',
    default: 'off',
    help: 'on: /test-token gives anybody a token for anybody; refused with NODE_ENV=production',
  },
} as const satisfies EnvTable

type Values = EnvValues<typeof tokenServiceTable>

const service = /^([\w.-]+):([^:\s]+):(\S+(?: \S+)*)$/

function serviceFrom(text: string): UpstreamClient {
  const [, clientId, clientSecret, audiences] = service.exec(text) ?? []
  // The text has a secret in it and is not shown.
  if (clientId === undefined || clientSecret === undefined || audiences === undefined)
    throw new EnvError([
      'UPSTREAM_SERVICES: expected <id>:<secret>:<audience>, more audiences after spaces, more services after commas',
    ])
  return { clientId, clientSecret, redirectUris: [], serviceAudiences: audiences.split(' ') }
}

function checkDistinct(clients: readonly UpstreamClient[]): void {
  const ids = clients.map(({ clientId }) => clientId)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined)
    throw new EnvError([`UPSTREAM_SERVICES: the client ${twice} is there twice`])
}

/** All clients of the issuer at the root. @throws {EnvError} naming the variable at fault */
export function clientsFrom(values: Values, first: UpstreamClient): UpstreamClient[] {
  const gateway: UpstreamClient = {
    clientId: values.UPSTREAM_GATEWAY_CLIENT_ID,
    clientSecret: values.UPSTREAM_GATEWAY_CLIENT_SECRET,
    redirectUris: values.UPSTREAM_GATEWAY_REDIRECT_URIS,
    pkce: 'optional',
  }
  const clients = [first, gateway, ...values.UPSTREAM_SERVICES.map(serviceFrom)]
  checkDistinct(clients)
  return clients
}

/** @throws {EnvError} for a word that is neither, and in production for `on` */
export function hasTestToken(values: Values, nodeEnv: string | undefined): boolean {
  const { UPSTREAM_TEST_TOKEN: text } = values
  if (text !== 'on' && text !== 'off')
    throw new EnvError(['UPSTREAM_TEST_TOKEN: expected on or off'])
  if (text === 'on' && nodeEnv === 'production')
    throw new EnvError([
      'UPSTREAM_TEST_TOKEN: is refused with NODE_ENV=production, as anybody would get a token for anybody',
    ])
  return text === 'on'
}

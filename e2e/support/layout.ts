// Where the parts of a chain under test are: addresses, and the settings that put them there.
import type { Settings } from './chain-config.ts'
import { makeCertificates } from './tls.ts'
import { join } from 'node:path'

export interface ChainPorts {
  testApp: number
  secondApp: number
  adapter: number
  admin: number
  upstream: number
}

export interface Layout {
  ports: ChainPorts
  urls: {
    appUrl: string
    secondAppUrl: string
    adapterUrl: string
    adminUrl: string
    upstreamUrl: string
  }
  sharedEnv: Readonly<Record<string, string>>
  /** By process name, over the shared one. */
  env: Readonly<Record<string, Readonly<Record<string, string>>>>
  config: Settings
  browserArgs: readonly string[]
}

const portVariables = (ports: ChainPorts) => ({
  TEST_APP_PORT: String(ports.testApp),
  SECOND_APP_PORT: String(ports.secondApp),
  ADAPTER_PORT: String(ports.adapter),
  ADAPTER_ADMIN_PORT: String(ports.admin),
  UPSTREAM_PORT: String(ports.upstream),
})

/** As the demo: http on 127.0.0.1. */
export function plainLayout(ports: ChainPorts): Layout {
  const url = (port: number) => `http://127.0.0.1:${port}`
  return {
    ports,
    urls: {
      appUrl: url(ports.testApp),
      secondAppUrl: url(ports.secondApp),
      adapterUrl: url(ports.adapter),
      adminUrl: url(ports.admin),
      upstreamUrl: url(ports.upstream),
    },
    sharedEnv: portVariables(ports),
    env: {},
    config: {},
    browserArgs: [],
  }
}

/** Three sites in the browser's eyes, so that SameSite and cookie prefixes are really tried. */
const HOSTS = {
  app: 'app.first.test',
  secondApp: 'app.fourth.test',
  adapter: 'login.second.test',
  upstream: 'idp.third.test',
}

const RESOLVER = join(import.meta.dirname, 'resolve-test-hosts.mjs')

/** Makes its certificates in `folder`. */
export function httpsLayout(ports: ChainPorts, folder: string): Layout {
  const certificates = makeCertificates(folder, Object.values(HOSTS))
  const filesOf = (host: string) => certificates.files[host] ?? { cert: '', key: '' }
  const urls = {
    appUrl: `https://${HOSTS.app}:${ports.testApp}`,
    secondAppUrl: `https://${HOSTS.secondApp}:${ports.secondApp}`,
    adapterUrl: `https://${HOSTS.adapter}:${ports.adapter}`,
    adminUrl: `http://127.0.0.1:${ports.admin}`,
    upstreamUrl: `https://${HOSTS.upstream}:${ports.upstream}`,
  }
  const app = (url: string, host: string) => ({
    TEST_APP_URL: url,
    TEST_APP_ISSUER: urls.adapterUrl,
    TEST_APP_IDENTITY_URL: urls.upstreamUrl,
    TEST_APP_TLS_CERT: filesOf(host).cert,
    TEST_APP_TLS_KEY: filesOf(host).key,
  })
  const client = (url: string) => ({
    client_uri: `${url}/`,
    redirect_uris: [`${url}/login/oauth2/code/auth-adapter`],
    post_logout_redirect_uris: [`${url}/`],
    backchannel_logout_uri: `${url}/logout/backchannel`,
  })
  return {
    ports,
    urls,
    sharedEnv: {
      ...portVariables(ports),
      NODE_EXTRA_CA_CERTS: certificates.ca,
      NODE_OPTIONS: `--import=${RESOLVER}`,
    },
    env: {
      upstream: {
        UPSTREAM_ISSUER: urls.upstreamUrl,
        UPSTREAM_REDIRECT_URIS: `${urls.adapterUrl}/login/oauth2/code/test-auth-server`,
        UPSTREAM_POST_LOGOUT_REDIRECT_URIS: `${urls.adapterUrl}/logout/callback/test-auth-server`,
        UPSTREAM_BACKCHANNEL_LOGOUT_URI: `${urls.adapterUrl}/logout/backchannel/test-auth-server`,
        UPSTREAM_TLS_CERT: filesOf(HOSTS.upstream).cert,
        UPSTREAM_TLS_KEY: filesOf(HOSTS.upstream).key,
      },
      'test-app': app(urls.appUrl, HOSTS.app),
      'second-app': app(urls.secondAppUrl, HOSTS.secondApp),
    },
    config: {
      issuer: urls.adapterUrl,
      listen: { host: '127.0.0.1', port: ports.adapter, tls: filesOf(HOSTS.adapter) },
      upstreams: { 'test-auth-server': { issuer: urls.upstreamUrl } },
      clients: {
        client: client(urls.appUrl),
        // Told by the browser alone, which is on another site then.
        'second-client': {
          ...client(urls.secondAppUrl),
          backchannel_logout_uri: null,
          frontchannel_logout_uri: `${urls.secondAppUrl}/logout/frontchannel`,
        },
      },
      resources: {
        'urn:test-app:refresh': { audience: `${urls.appUrl}/refresh` },
        'urn:second-app:refresh': { audience: `${urls.secondAppUrl}/refresh` },
      },
    },
    browserArgs: [
      '--host-resolver-rules=MAP *.test 127.0.0.1',
      // Only certificates with these keys: everything else of https stays as it is.
      `--ignore-certificate-errors-spki-list=${certificates.spkiHashes.join(',')}`,
    ],
  }
}

// Settings of programs that sign people in by configuration alone.
import { lines, quoted, SECRET_VARIABLE, SECRETS, type Library } from './snippet.ts'

/** https://oauth2-proxy.github.io/oauth2-proxy/configuration/providers/openid_connect */
const oauth2Proxy: Library = {
  title: 'oauth2-proxy',
  file: 'oauth2-proxy.cfg',
  methods: SECRETS,
  text: (client) =>
    lines(
      'provider = "oidc"',
      `oidc_issuer_url = ${quoted(client.issuer)}`,
      `client_id = ${quoted(client.clientId)}`,
      '# client_secret: OAUTH2_PROXY_CLIENT_SECRET in the environment, or client_secret_file',
      `redirect_url = ${quoted(client.redirectUri)}`,
      `scope = ${quoted(client.scopes.join(' '))}`,
      'code_challenge_method = "S256"',
      'oidc_email_claim = "sub" # "email", where the adapter maps one',
      'email_domains = ["*"]',
      '# cookie_secret: OAUTH2_PROXY_COOKIE_SECRET in the environment',
    ),
  notes: () => ['Its redirect URI is <proxy>/oauth2/callback'],
}

/** https://grafana.com/docs/grafana/latest/setup-grafana/configure-access/configure-authentication/generic-oauth/ */
const grafana: Library = {
  title: 'Grafana (generic OAuth)',
  file: 'grafana.ini',
  methods: [...SECRETS, 'none'],
  text: (client) =>
    lines(
      '[auth.generic_oauth]',
      'enabled = true',
      'name = Sign in',
      `client_id = ${client.clientId}`,
      client.method !== 'none' && `client_secret = $__env{${SECRET_VARIABLE}}`,
      `scopes = ${client.scopes.join(' ')}`,
      `auth_url = ${client.issuer}/oauth2/authorize`,
      `token_url = ${client.issuer}/oauth2/token`,
      `api_url = ${client.issuer}/userinfo`,
      `signout_redirect_url = ${client.issuer}/connect/logout`,
      'use_pkce = true',
      'login_attribute_path = preferred_username',
      'name_attribute_path = name',
    ),
  notes: () => ['Its redirect URI is <grafana>/login/generic_oauth'],
}

/** https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration */
const kubernetes: Library = {
  title: 'Kubernetes API server',
  file: 'the file of --authentication-config',
  methods: [...SECRETS, 'private_key_jwt', 'none'],
  text: (client) =>
    lines(
      'apiVersion: apiserver.config.k8s.io/v1beta1',
      'kind: AuthenticationConfiguration',
      'jwt:',
      '  - issuer:',
      `      url: ${quoted(client.issuer)}`,
      `      audiences: [${quoted(client.clientId)}]`,
      '    claimMappings:',
      '      username: { claim: sub, prefix: "auth-adapter:" }',
      '      groups: { claim: authorities, prefix: "auth-adapter:" } # a claim that the adapter maps',
    ),
  notes: ({ isPlainHttp }) => [
    'People get their ID token with a kubectl plugin, such as oidc-login',
    ...(isPlainHttp ? ['It takes issuers of https only'] : []),
  ],
}

export const readyMadeApps: Record<string, Library> = {
  'oauth2-proxy': oauth2Proxy,
  grafana,
  kubernetes,
}

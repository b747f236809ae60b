// Settings of client libraries for Node.js.
import {
  lines,
  quoted,
  SECRET_VARIABLE,
  SECRETS,
  type Library,
  type SnippetClient,
} from './snippet.ts'

const SECRET = `process.env.${SECRET_VARIABLE}`

/** https://github.com/panva/openid-client */
const openidClient: Library = {
  title: 'openid-client 6 (Node.js)',
  file: 'the module that signs people in',
  methods: [...SECRETS, 'private_key_jwt', 'none'],
  meets: ['require_pushed_authorization_requests', 'dpop_bound_access_tokens'],
  text: (client) =>
    lines(
      "import * as client from 'openid-client'",
      '',
      'const config = await client.discovery(',
      `  new URL(${quoted(client.issuer)}),`,
      `  ${quoted(client.clientId)},`,
      '  undefined,',
      client.method === 'private_key_jwt' && '  // privateKey: a CryptoKey, or { key, kid }',
      `  ${AUTHENTICATIONS[client.method]},`,
      client.isPlainHttp &&
        '  { execute: [client.allowInsecureRequests] }, // http: for development',
      ')',
      isBound(client) &&
        'const DPoP = client.getDPoPHandle(config, keyPair) // of client.randomDPoPKeyPair(); keep it',
      '',
      'const code_verifier = client.randomPKCECodeVerifier() // keep both in the session',
      'const state = client.randomState()',
      client.demands.includes('require_pushed_authorization_requests')
        ? 'const url = await client.buildAuthorizationUrlWithPAR(config, {'
        : 'const url = client.buildAuthorizationUrl(config, {',
      `  redirect_uri: ${quoted(client.redirectUri)},`,
      `  scope: ${quoted(client.scopes.join(' '))},`,
      '  code_challenge: await client.calculatePKCECodeChallenge(code_verifier),',
      "  code_challenge_method: 'S256',",
      '  state,',
      '})',
      '// Redirect to url. At the redirect URI:',
      '// const tokens = await client.authorizationCodeGrant(config, currentUrl, {',
      '//   pkceCodeVerifier: code_verifier,',
      '//   expectedState: state,',
      isBound(client) ? '// }, undefined, { DPoP })' : '// })',
    ),
}

const isBound = ({ demands }: SnippetClient) => demands.includes('dpop_bound_access_tokens')

const AUTHENTICATIONS: Record<SnippetClient['method'], string> = {
  client_secret_basic: `client.ClientSecretBasic(${SECRET})`,
  client_secret_post: `client.ClientSecretPost(${SECRET})`,
  private_key_jwt: 'client.PrivateKeyJwt(privateKey)',
  none: 'client.None()',
}

/** https://authjs.dev/guides/configuring-oauth-providers */
const authjs: Library = {
  title: 'Auth.js / NextAuth 5',
  file: 'auth.ts',
  methods: [...SECRETS, 'none'],
  text: (client) =>
    lines(
      "import NextAuth from 'next-auth'",
      '',
      'export const { handlers, auth, signIn, signOut } = NextAuth({',
      '  providers: [',
      '    {',
      "      id: 'auth-adapter',",
      "      name: 'Sign in',",
      "      type: 'oidc',",
      `      issuer: ${quoted(client.issuer)},`,
      `      clientId: ${quoted(client.clientId)},`,
      client.method !== 'none' && `      clientSecret: ${SECRET},`,
      `      client: { token_endpoint_auth_method: ${quoted(client.method)} },`,
      `      authorization: { params: { scope: ${quoted(client.scopes.join(' '))} } },`,
      "      checks: ['pkce', 'state', 'nonce'],",
      '    },',
      '  ],',
      '})',
    ),
  notes: () => ['Its redirect URI is <app>/api/auth/callback/auth-adapter'],
}

/** https://github.com/jaredhanson/passport-openidconnect */
const passport: Library = {
  title: 'passport-openidconnect',
  file: 'the module that sets up passport',
  methods: SECRETS,
  text: (client) =>
    lines(
      "const OpenIDConnectStrategy = require('passport-openidconnect')",
      '',
      'passport.use(',
      '  new OpenIDConnectStrategy(',
      '    {',
      `      issuer: ${quoted(client.issuer)},`,
      `      authorizationURL: ${quoted(`${client.issuer}/oauth2/authorize`)},`,
      `      tokenURL: ${quoted(`${client.issuer}/oauth2/token`)},`,
      `      userInfoURL: ${quoted(`${client.issuer}/userinfo`)},`,
      `      clientID: ${quoted(client.clientId)},`,
      `      clientSecret: ${SECRET},`,
      `      callbackURL: ${quoted(client.redirectUri)},`,
      `      scope: ${JSON.stringify(client.scopes)},`,
      '    },',
      '    (issuer, profile, done) => done(null, profile),',
      '  ),',
      ')',
    ),
  notes: ({ needsPkce }) =>
    needsPkce
      ? ['It sends no PKCE: this client needs pkce: optional in the configuration file']
      : [],
}

export const javascriptLibraries: Record<string, Library> = {
  'openid-client': openidClient,
  authjs,
  'passport-openidconnect': passport,
}

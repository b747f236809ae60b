// Settings of client libraries for Java, Python and .NET.
import { lines, quoted, SECRET_VARIABLE, SECRETS, type Library } from './snippet.ts'

/** https://docs.spring.io/spring-security/reference/servlet/oauth2/login/core.html */
const spring: Library = {
  title: 'Spring Security (Spring Boot)',
  file: 'application.yaml',
  methods: [...SECRETS, 'private_key_jwt', 'none'],
  text: (client) =>
    lines(
      'spring:',
      '  security:',
      '    oauth2:',
      '      client:',
      '        registration:',
      '          auth-adapter:',
      `            client-id: ${quoted(client.clientId)}`,
      client.method.startsWith('client_secret') &&
        `            client-secret: \${${SECRET_VARIABLE}}`,
      `            client-authentication-method: ${client.method}`,
      '            authorization-grant-type: authorization_code',
      '            redirect-uri: "{baseUrl}/login/oauth2/code/{registrationId}"',
      `            scope: [${client.scopes.map(quoted).join(', ')}]`,
      '        provider:',
      '          auth-adapter:',
      `            issuer-uri: ${quoted(client.issuer)}`,
    ),
  notes: ({ method, needsPkce }) => [
    'Its redirect URI is <app>/login/oauth2/code/auth-adapter',
    ...(needsPkce && method !== 'none'
      ? [
          'Before Spring Security 7, PKCE has to be asked for: OAuth2AuthorizationRequestCustomizers.withPkce()',
        ]
      : []),
    ...(method === 'private_key_jwt'
      ? [
          'Its key comes from a NimbusJwtClientAuthenticationParametersConverter at the token client',
        ]
      : []),
  ],
}

/** https://docs.authlib.org/en/latest/client/frameworks.html */
const authlib: Library = {
  title: 'Authlib (Flask, Django, Starlette)',
  file: 'the module that registers OAuth clients',
  methods: [...SECRETS, 'none'],
  text: (client) =>
    lines(
      client.method !== 'none' && 'import os',
      'from authlib.integrations.flask_client import OAuth',
      '',
      'oauth = OAuth(app)',
      'oauth.register(',
      '    "auth_adapter",',
      `    client_id=${quoted(client.clientId)},`,
      client.method !== 'none' && `    client_secret=os.environ["${SECRET_VARIABLE}"],`,
      `    server_metadata_url=${quoted(`${client.issuer}/.well-known/openid-configuration`)},`,
      '    client_kwargs={',
      `        "scope": ${quoted(client.scopes.join(' '))},`,
      '        "code_challenge_method": "S256",',
      `        "token_endpoint_auth_method": ${quoted(client.method)},`,
      '    },',
      ')',
      '',
      `# return oauth.auth_adapter.authorize_redirect(${quoted(client.redirectUri)})`,
    ),
}

/** https://learn.microsoft.com/en-us/aspnet/core/security/authentication/configure-oidc-web-authentication */
const aspnetcore: Library = {
  title: 'ASP.NET Core (Microsoft.AspNetCore.Authentication.OpenIdConnect)',
  file: 'Program.cs',
  methods: [...SECRETS, 'none'],
  text: (client) =>
    lines(
      'builder.Services.AddAuthentication(options =>',
      '    {',
      '        options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;',
      '        options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;',
      '    })',
      '    .AddCookie()',
      '    .AddOpenIdConnect(options =>',
      '    {',
      `        options.Authority = ${quoted(client.issuer)};`,
      client.isPlainHttp &&
        '        options.RequireHttpsMetadata = false; // http: for development',
      `        options.ClientId = ${quoted(client.clientId)};`,
      client.method !== 'none' &&
        `        options.ClientSecret = builder.Configuration["${SECRET_VARIABLE}"];`,
      '        options.ResponseType = "code";',
      '        options.ResponseMode = "query";',
      '        options.UsePkce = true;',
      `        options.CallbackPath = ${quoted(URL.parse(client.redirectUri)?.pathname ?? '/signin-oidc')};`,
      '        options.Scope.Clear();',
      ...client.scopes.map((scope) => `        options.Scope.Add(${quoted(scope)});`),
      '        options.MapInboundClaims = false;',
      '        options.SaveTokens = true;',
      '    });',
    ),
}

export const serverLibraries: Record<string, Library> = { spring, authlib, aspnetcore }

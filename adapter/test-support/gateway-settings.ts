// Settings of a chain with a real test app in front, as the demo's file has them. Test code only.
import type { Setting } from './chain.ts'

/** For `config` of ChainOptions. `appUrl`: origin of the app, without a slash at the end. */
export function gatewaySettings(appUrl: string): Setting {
  return {
    clients: {
      client: {
        client_uri: `${appUrl}/`,
        redirect_uris: [`${appUrl}/login/oauth2/code/auth-adapter`],
        post_logout_redirect_uris: [`${appUrl}/`],
        backchannel_logout_uri: `${appUrl}/logout/backchannel`,
        refresh: { when: 'always', rotation: 'always' },
        exchange: {
          accepts_upstream_tokens: [
            { upstream: 'test-auth-server', token_types: ['access_token'] },
          ],
        },
      },
      worker: {
        client_secret: 'worker-secret',
        grant_types: ['client_credentials'],
        scope: 'log:write',
      },
    },
    resources: {
      'urn:logging-backend': {
        audience: 'logging-backend',
        scope: 'log:write',
        clients: ['worker'],
      },
      'urn:test-app:refresh': {
        audience: `${appUrl}/refresh`,
        scope: 'openid',
        clients: ['client'],
        access_token: { ttl: '7d' },
      },
    },
  }
}

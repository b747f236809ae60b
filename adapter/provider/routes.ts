// Where each endpoint of oidc-provider's stands.
import { DEVICE_ROUTES } from './device/device-grant.ts'
import { TOKEN_ROUTES } from './endpoints/token-endpoints.ts'
import { PUSHED_ROUTES } from './pushed/pushed-requests.ts'

export const ROUTES = {
  authorization: '/oauth2/authorize',
  token: '/oauth2/token',
  jwks: '/oauth2/jwks',
  userinfo: '/userinfo',
  end_session: '/connect/logout',
  ...TOKEN_ROUTES,
  ...DEVICE_ROUTES,
  ...PUSHED_ROUTES,
} as const

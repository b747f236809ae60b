// What of the identity service can be reached through the gateway, and how. Its path for programs is none of it.

export const IDENTITY_PREFIX = '/api/auth/'

export const IDENTITY_PATHS = {
  login: '/api/auth/login',
  selectBranch: '/api/auth/select-branch',
  refresh: '/api/auth/refresh',
  logout: '/api/auth/logout',
  context: '/api/auth/context',
} as const

const METHODS: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  [IDENTITY_PATHS.login, 'POST'],
  [IDENTITY_PATHS.selectBranch, 'POST'],
  [IDENTITY_PATHS.refresh, 'POST'],
  [IDENTITY_PATHS.logout, 'POST'],
  [IDENTITY_PATHS.context, 'GET'],
])

/** The method of a path, character by character; undefined for all that is not routed. */
export const methodOf = (path: string) => METHODS.get(path)

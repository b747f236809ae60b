// When a refresh token is issued, and what becomes of it when it is used.
import type { Client, Configuration, KoaContextWithOIDC } from 'oidc-provider'
import type Provider from 'oidc-provider'
import { createSetting } from './setting.ts'
import type { Setting } from './setting.ts'

/** `rotating`: the used one goes on to work. `one_time`: it is refused. `reuse_revokes`: and all that came of it ends. */
export const refreshModes = ['static', 'rotating', 'reuse_revokes', 'one_time'] as const
/** `when_asked`: for the scope offline_access. `once`: then, and the first time only. */
export const refreshIssued = ['when_asked', 'always', 'once', 'never'] as const

export interface RefreshValues {
  mode: (typeof refreshModes)[number]
  issued: (typeof refreshIssued)[number]
}

export type RefreshRules = Setting<RefreshValues> & {
  /** Whether this is the first time for this person at this client. */
  isFirst(accountId: string, clientId: string): boolean
}

export function createRefreshRules(): RefreshRules {
  const setting = createSetting<RefreshValues>({ mode: 'reuse_revokes', issued: 'when_asked' })
  const given = new Set<string>()
  return {
    ...setting,
    isFirst(accountId, clientId) {
      const before = given.size
      return given.add(`${clientId} ${accountId}`).size > before
    },
    reset() {
      setting.reset()
      given.clear()
    },
  }
}

interface Source {
  accountId?: string | undefined
  scopes?: ReadonlySet<string>
}

function isIssued(rules: RefreshRules, client: Client, source: Source): boolean {
  const { issued } = rules.current()
  if (issued === 'never' || !client.grantTypeAllowed('refresh_token')) return false
  if (issued === 'always') return true
  if (source.scopes?.has('offline_access') !== true) return false
  return issued !== 'once' || rules.isFirst(source.accountId ?? '', client.clientId)
}

/** The part of oidc-provider's configuration that these rules decide. */
export const refreshConfiguration = (rules: RefreshRules): Configuration => ({
  issueRefreshToken: async (_ctx, client, source) => isIssued(rules, client, source as Source),
  rotateRefreshToken: () => rules.current().mode !== 'static',
})

const asks = (value: unknown, word: string) =>
  String(value ?? '')
    .split(' ')
    .includes(word)

// The library drops offline_access unless prompt=consent is asked, too. Consent is given without a page here.
// https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess
function addConsent({ query }: KoaContextWithOIDC): void {
  const { prompt, scope } = query
  if (!asks(scope, 'offline_access') || asks(prompt, 'none') || asks(prompt, 'consent')) return
  query['prompt'] = prompt === undefined ? 'consent' : `${String(prompt)} consent`
}

export function acceptOfflineAccess(provider: Provider): void {
  provider.use((ctx, next) => {
    if (ctx.path === '/oauth2/authorize') addConsent(ctx as KoaContextWithOIDC)
    return next()
  })
}

// What access tokens look like, and who may have them: the client's own, whose audience is the client itself, and those for
// the resources of the configuration (RFC 8707).
import { errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'
import { DEFAULT_RESOURCE } from '../claims/consent/asked-consent.ts'
import type { Config } from '../config/schema.ts'
import { ConfigError } from '../errors.ts'
import type { LiveKeys } from './keys/live-keys.ts'

/** oidc-provider mints a JWT only for a resource, and a resource must be an absolute URI. */
export { DEFAULT_RESOURCE }

type TokenConfig = Pick<Config, 'clients' | 'resources'>

interface ClientLike {
  clientId: string
}

export interface TokenSettings {
  audience: string
  scope: string
  typ: 'at+jwt' | 'JWT'
  format: 'jwt' | 'opaque'
  ttl: number
  /** Absent: that of all else that we sign. */
  alg?: string | undefined
}

/** Undefined where the client may have no tokens for this resource. */
export function tokenSettings(
  { clients, resources }: TokenConfig,
  clientId: string,
  resource: string,
): TokenSettings | undefined {
  const client = Object.hasOwn(clients, clientId) ? clients[clientId] : undefined
  if (!client) return undefined
  if (resource === DEFAULT_RESOURCE)
    return { ...client.access_token, audience: clientId, scope: client.scope }
  const found = Object.hasOwn(resources, resource) ? resources[resource] : undefined
  if (!found || found.clients?.includes(clientId) === false) return undefined
  const own = Object.entries(found.access_token).filter(([, value]) => value !== undefined)
  return {
    ...client.access_token,
    ...Object.fromEntries(own),
    audience: found.audience ?? resource,
    scope: found.scope,
  }
}

/** What a grant to this client covers: resource → scopes. */
export function grantedResources(config: TokenConfig, clientId: string): [string, string][] {
  return [DEFAULT_RESOURCE, ...Object.keys(config.resources)].flatMap((resource) => {
    const settings = tokenSettings(config, clientId, resource)
    return settings ? [[resource, settings.scope] as [string, string]] : []
  })
}

/** Of those that it may introspect, beside those it is the audience of. */
export function audiencesServedBy({ resources }: TokenConfig, clientId: string): string[] {
  return Object.entries(resources).flatMap(([name, { resource_server: server, audience }]) =>
    server === clientId ? [audience ?? name] : [],
  )
}

/** @throws ConfigError where no key can sign what a client or resource asks for */
export function requireKeys(
  { clients, resources, keys: { alg } }: TokenConfig & Pick<Config, 'keys'>,
  { keys, isRotated }: Pick<LiveKeys, 'keys' | 'isRotated'>,
): void {
  const hasKey = (wanted: string) =>
    wanted === alg || (!isRotated && keys.some((key) => key.alg === wanted))
  const message = isRotated
    ? 'Keys that we make are for keys.alg alone; another one takes keys.file or keys.signer'
    : 'keys.file has no key for it'
  const faults = Object.entries({ clients, resources }).flatMap(([group, entries]) =>
    Object.entries(entries).flatMap(([name, { access_token: tokens }]) =>
      tokens.alg === undefined || hasKey(tokens.alg)
        ? []
        : [{ path: `${group}.${name}.access_token.alg`, message }],
    ),
  )
  if (faults.length > 0) throw new ConfigError(faults)
}

/** Whether a token with `typ: JWT` may be an access token. What is no access token has no `jti` of ours all the same. */
export function mayBeTypedJwt(
  { clients, resources }: TokenConfig,
  clientId: string,
  audience: readonly string[],
): boolean {
  const isSo = (tokens: { typ?: string | undefined } | undefined) => tokens?.typ === 'JWT'
  return (
    isSo(Object.hasOwn(clients, clientId) ? clients[clientId]?.access_token : undefined) ||
    Object.entries(resources).some(
      ([name, resource]) =>
        audience.includes(resource.audience ?? name) && isSo(resource.access_token),
    )
  )
}

/** oidc-provider's `features.resourceIndicators` (RFC 8707: https://www.rfc-editor.org/rfc/rfc8707#section-2). */
export function resourceIndicators(
  config: TokenConfig,
  { alg, isRotated }: Pick<LiveKeys, 'alg' | 'isRotated'>,
) {
  return {
    enabled: true,
    defaultResource: (_ctx: KoaContextWithOIDC, _client: ClientLike, oneOf?: readonly string[]) =>
      oneOf?.[0] ?? DEFAULT_RESOURCE,
    useGrantedResource: () => true,
    getResourceServerInfo: (
      ctx: KoaContextWithOIDC,
      resource: string,
      { clientId }: ClientLike,
    ): ResourceServer => {
      const settings = tokenSettings(config, clientId, resource)
      if (!settings) throw new errors.InvalidTarget()
      return {
        scope: isForClientItself(ctx) ? withoutPeople(settings.scope) : settings.scope,
        audience: settings.audience,
        accessTokenFormat: settings.format,
        accessTokenTTL: settings.ttl,
        // A new algorithm of ours signs once it was published long enough, also where it is asked for by name.
        jwt: { sign: { alg: ((isRotated ? undefined : settings.alg) ?? alg) as 'RS256' } },
      }
    },
  }
}

const isForClientItself = ({ oidc }: KoaContextWithOIDC) =>
  oidc.params?.['grant_type'] === 'client_credentials'

/** Scopes of somebody signed in, which nobody is. */
const withoutPeople = (scope: string) =>
  scope
    .split(' ')
    .filter((name) => name !== 'openid' && name !== 'offline_access')
    .join(' ')

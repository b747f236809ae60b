// What the shape can not say: rules of single values, rules between settings, and what production refuses. Each fault names
// its setting and never its value.
import type { Config } from '../schema.ts'
import type { SettingFault } from './schema-faults.ts'
import { isSecret } from '../setting.ts'
import type { SettingPath } from '../setting.ts'
import { isMap, leavesOf, valueAt } from '../source/settings-tree.ts'
import { choiceFaults } from './choice-faults.ts'
import { clientFaults } from './client-faults.ts'
import { shortSecretFaults } from './clients/authentication-faults.ts'
import { profileFaults } from './clients/profile-faults.ts'
import { keyFaults } from './key-faults.ts'
import { exchangeFaults } from './tokens/exchange-faults.ts'
import { resourceNameFault, tokenFaults } from './tokens/token-faults.ts'
import { proxyFault } from './upstreams/proxy-rule.ts'
import { upstreamFaults } from './upstreams/upstream-faults.ts'
import {
  authorizationParameterFault,
  claimNameFault,
  claimsParameterFault,
  clientIdFault,
  clientSecretFault,
  endpointFault,
  forwardedParameterFault,
  issuerFault,
  networkFault,
  isLoopbackHost,
  pageUrlFault,
  redirectUriFault,
  redisUrlFault,
  sealingKeyFault,
  upstreamIssuerFault,
} from './value-rules.ts'

export interface CheckCircumstances {
  readonly isProduction: boolean
  /** Whether a value stands in the file itself (a default inside `${...}` too), rather than coming from outside. */
  readonly isLiteral: (path: SettingPath) => boolean
}

/** `*` is any name or index; with `names`, the rule is for the name that the last `*` stands for. */
interface ValueRow {
  readonly at: readonly string[]
  readonly fault: (value: string) => string | undefined
  readonly judges?: 'names'
}

const VALUE_ROWS: readonly ValueRow[] = [
  { at: ['issuer'], fault: issuerFault },
  { at: ['trusted_proxies', '*'], fault: networkFault },
  { at: ['keys', 'sealing_key'], fault: sealingKeyFault },
  { at: ['keys', 'second_sealing_key'], fault: sealingKeyFault },
  { at: ['keys', 'subject_key'], fault: sealingKeyFault },
  { at: ['storage', 'url'], fault: redisUrlFault },
  { at: ['storage', 'cluster', '*'], fault: redisUrlFault },
  { at: ['upstreams', '*', 'issuer'], fault: upstreamIssuerFault },
  { at: ['upstreams', '*', 'endpoints', '*'], fault: endpointFault },
  { at: ['upstreams', '*', 'proxy'], fault: proxyFault },
  {
    at: ['upstreams', '*', 'authorization_params', '*'],
    fault: authorizationParameterFault,
    judges: 'names',
  },
  { at: ['upstreams', '*', 'authorization_params', 'claims'], fault: claimsParameterFault },
  { at: ['upstreams', '*', 'context', 'forward', '*'], fault: forwardedParameterFault },
  {
    at: ['upstreams', '*', 'context', 'acr', '*', 'params', '*'],
    fault: authorizationParameterFault,
    judges: 'names',
  },
  {
    at: ['upstreams', '*', 'context', 'acr', '*', 'params', 'claims'],
    fault: claimsParameterFault,
  },
  { at: ['upstreams', '*', 'claims', '*'], fault: claimNameFault, judges: 'names' },
  { at: ['clients', '*'], fault: clientIdFault, judges: 'names' },
  { at: ['clients', '*', 'client_secret'], fault: clientSecretFault },
  { at: ['clients', '*', 'claims', '*'], fault: claimNameFault, judges: 'names' },
  { at: ['clients', '*', 'client_uri'], fault: pageUrlFault },
  { at: ['clients', '*', 'backchannel_logout_uri'], fault: endpointFault },
  { at: ['clients', '*', 'frontchannel_logout_uri'], fault: endpointFault },
  { at: ['clients', '*', 'redirect_uris', '*'], fault: redirectUriFault },
  { at: ['resources', '*'], fault: resourceNameFault, judges: 'names' },
  { at: ['clients', '*', 'post_logout_redirect_uris', '*'], fault: redirectUriFault },
]

type Check = (config: Config, circumstances: CheckCircumstances) => SettingFault[]

const CHECKS: readonly Check[] = [
  (config) => VALUE_ROWS.flatMap((row) => valueFaults(config, row)),
  listenerFaults,
  sessionFaults,
  storageFaults,
  upstreamFaults,
  choiceFaults,
  claimRuleFaults,
  clientFaults,
  profileFaults,
  shortSecretFaults,
  keyFaults,
  tokenFaults,
  exchangeFaults,
  productionFaults,
]

/** Every fault of a well-formed configuration; none when it can be used. */
export function checkConfig(config: Config, circumstances: CheckCircumstances): SettingFault[] {
  return CHECKS.flatMap((check) => check(config, circumstances))
}

function valueFaults(config: Config, { at, fault, judges }: ValueRow): SettingFault[] {
  return matching(config, at).flatMap((path) => {
    const judged = judges === 'names' ? path.at(-1) : valueAt(config, path)
    const message = typeof judged === 'string' ? fault(judged) : undefined
    return message === undefined ? [] : [{ path, message, isAboutName: judges === 'names' }]
  })
}

function matching(
  value: unknown,
  [head, ...rest]: readonly string[],
  path: SettingPath = [],
): SettingPath[] {
  if (head === undefined) return [path]
  if (typeof value !== 'object' || value === null) return []
  const keys = Object.keys(value).filter((key) => head === '*' || key === head)
  return keys.flatMap((key) => {
    const inner = (value as Record<string, unknown>)[key]
    return inner === undefined
      ? []
      : matching(inner, rest, [...path, Array.isArray(value) ? Number(key) : key])
  })
}

function listenerFaults({
  issuer,
  listen,
  admin,
  trusted_proxies: proxies,
}: Config): SettingFault[] {
  const faults: SettingFault[] = []
  if (!isLoopbackHost(listen.host) && !listen.tls && proxies.length === 0) {
    faults.push({
      path: ['listen', 'host'],
      message: 'Outside loopback either listen.tls or a TLS proxy in trusted_proxies is needed',
    })
  }
  if (listen.tls && issuer.startsWith('http:')) {
    faults.push({ path: ['issuer'], message: 'With listen.tls the issuer begins with https:' })
  }
  if (listen.port !== 0 && listen.port === admin.port) {
    faults.push({ path: ['admin', 'port'], message: 'The admin listener needs a port of its own' })
  }
  return faults
}

function sessionFaults({ session }: Config): SettingFault[] {
  if (session.idle <= session.absolute) return []
  return [{ path: ['session', 'idle'], message: 'Can not be longer than session.absolute' }]
}

function storageFaults({ storage }: Config): SettingFault[] {
  if (storage.driver !== 'redis') return []
  const given = [storage.url, storage.cluster, storage.sentinel].filter((way) => way !== undefined)
  return given.length === 1
    ? []
    : [{ path: ['storage'], message: 'Expected exactly one of url, cluster and sentinel' }]
}

/** What says where a value comes from, and what can not stand beside it. */
const CLAIM_ORIGINS = {
  constant: [
    'from',
    'template',
    'filter',
    'strip_prefix',
    'values',
    'add_prefix',
    'default',
    'required',
  ],
  template: ['from'],
} as const

function claimRuleFaults(config: Config): SettingFault[] {
  const rules = ['upstreams', 'clients'].flatMap((part) =>
    matching(config, [part, '*', 'claims', '*']),
  )
  return Object.entries(CLAIM_ORIGINS).flatMap(([origin, excluded]) =>
    rules.flatMap((path) => {
      const rule = valueAt(config, path)
      const isGiven = (name: string) => isMap(rule) && rule[name] !== undefined
      const others = excluded.filter(isGiven)
      const message = `A ${origin} stands alone, without ${others.join(', ')}`
      return others.length === 0 || !isGiven(origin) ? [] : [{ path: [...path, origin], message }]
    }),
  )
}

function productionFaults(
  config: Config,
  { isProduction, isLiteral }: CheckCircumstances,
): SettingFault[] {
  if (!isProduction) return []
  const faults: SettingFault[] = []
  if (config.storage.driver === 'memory') {
    faults.push({
      path: ['storage', 'driver'],
      message: 'Memory is refused in production; use sqlite or redis',
    })
  }
  const secrets = leavesOf(config).filter(
    (path) => isSecret(path) && isLiteral(path) && holdsSecret(valueAt(config, path)),
  )
  for (const path of secrets) {
    faults.push({
      path,
      message: 'A secret in the file itself is refused in production; use ${NAME} or ${file:path}',
    })
  }
  return faults
}

/** A URL of a server without a password is no secret. */
function holdsSecret(value: unknown): boolean {
  const url = typeof value === 'string' && value.includes('://') ? URL.parse(value) : null
  return url === null || url.password !== '' || url.search !== ''
}

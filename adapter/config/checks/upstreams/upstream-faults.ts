// Rules between the settings of upstreams: subjects that can not collide, and the credential that each way of
// authenticating takes.
import type { AnyUpstreamConfig, Config } from '../../schema.ts'
import { aliasFaults } from './alias-faults.ts'
import { didYouMean } from '../../source/nearest-name.ts'
import type { SettingFault } from '../schema-faults.ts'
import { tenantFaults } from './tenant-faults.ts'
import { upstreamScopeFault } from '../value-rules.ts'

export function upstreamFaults(config: Config): SettingFault[] {
  return [
    ...subjectFaults(config),
    ...aliasFaults(config),
    ...tenantFaults(config),
    ...scopeFaults(config),
    ...credentialFaults(config),
    ...presetFaults(config),
    ...defaultFaults(config),
  ]
}

function subjectFaults({ upstreams }: Config): SettingFault[] {
  const bare = Object.keys(upstreams).filter((name) => upstreams[name]?.subject === 'bare')
  const hashed = Object.keys(upstreams).filter((name) => upstreams[name]?.subject === 'hashed')
  const fault = (name: string, message: string) => ({
    path: ['upstreams', name, 'subject'],
    message,
  })
  return [
    ...bare
      .slice(1)
      .map((name) => fault(name, `One upstream at most can be bare, and "${bare[0]}" is`)),
    ...(bare.length === 0 ? [] : hashed).map((name) =>
      fault(
        name,
        `Not beside a bare upstream: a sub of "${bare[0]}" could be made to equal a hash`,
      ),
    ),
    ...hashed.flatMap((name, index) => {
      const twin = hashed.slice(0, index).find((other) => isSameIssuer(upstreams, name, other))
      return twin === undefined
        ? []
        : [fault(name, `"${twin}" has the same issuer: their people would share subjects`)]
    }),
  ]
}

/** The issuer of one tenant is among those of all tenants, too. */
function isSameIssuer(upstreams: Config['upstreams'], name: string, other: string): boolean {
  const [one = '', two = ''] = [upstreams[name]?.issuer, upstreams[other]?.issuer]
  return one === two || isTenantOf(one, two) || isTenantOf(two, one)
}

function isTenantOf(template: string, issuer: string): boolean {
  const [before = '', after] = template.split('{tenantid}')
  return after !== undefined && issuer.startsWith(before) && issuer.endsWith(after)
}

function scopeFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    const message = upstream.kind === 'oidc' ? upstreamScopeFault(upstream.scope) : undefined
    return message === undefined ? [] : [{ path: ['upstreams', name, 'scope'], message }]
  })
}

const CREDENTIALS = ['client_secret', 'client_key', 'team_id'] as const

/** What each `client_auth_method` takes. */
const CREDENTIALS_OF: Readonly<
  Record<AnyUpstreamConfig['client_auth_method'], readonly (typeof CREDENTIALS)[number][]>
> = {
  client_secret_basic: ['client_secret'],
  client_secret_post: ['client_secret'],
  private_key_jwt: ['client_key'],
  apple_jwt: ['client_key', 'team_id'],
  none: [],
}

function credentialFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    const { client_auth_method: method } = upstream
    const taken = CREDENTIALS_OF[method]
    const wrong = CREDENTIALS.filter(
      (credential) => taken.includes(credential) !== (upstream[credential] !== undefined),
    )
    return wrong.map((credential) => ({
      path: ['upstreams', name, credential],
      message: `${taken.includes(credential) ? 'Required' : 'Not used'} with client_auth_method ${method}`,
    }))
  })
}

/** What is read by one preset only. */
const PRESETS_OF = { tenant: ['entra'], domain: ['okta', 'auth0'] } as const

function presetFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) =>
    (['tenant', 'domain'] as const).flatMap((setting) => {
      const presets: readonly string[] = PRESETS_OF[setting]
      const isUsed = presets.includes(upstream.preset ?? '')
      if (upstream[setting] === undefined || isUsed) return []
      const message = `Only used with preset ${presets.join(' and ')}`
      return [{ path: ['upstreams', name, setting], message }]
    }),
  )
}

function defaultFaults({ upstreams, default_upstream: preferred }: Config): SettingFault[] {
  if (preferred === undefined || Object.hasOwn(upstreams, preferred)) return []
  const hint = didYouMean(preferred, Object.keys(upstreams))
  return [{ path: ['default_upstream'], message: `There is no upstream of this name${hint}` }]
}

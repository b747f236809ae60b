// Rules between the settings of upstreams: subjects that can not collide, and the credential that each way of
// authenticating takes.
import type { AnyUpstreamConfig, Config } from '../schema.ts'
import { didYouMean } from '../source/nearest-name.ts'
import type { SettingFault } from './schema-faults.ts'
import { upstreamScopeFault } from './value-rules.ts'

export function upstreamFaults(config: Config): SettingFault[] {
  return [
    ...subjectFaults(config),
    ...scopeFaults(config),
    ...credentialFaults(config),
    ...presetFaults(config),
    ...defaultFaults(config),
  ]
}

function subjectFaults({ upstreams }: Config): SettingFault[] {
  const bare = Object.keys(upstreams).filter((name) => upstreams[name]?.subject === 'bare')
  return bare.slice(1).map((name) => ({
    path: ['upstreams', name, 'subject'],
    message: `One upstream at most can be bare, and "${bare[0]}" is`,
  }))
}

function scopeFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    const message = upstream.kind === 'oidc' ? upstreamScopeFault(upstream.scope) : undefined
    return message === undefined ? [] : [{ path: ['upstreams', name, 'scope'], message }]
  })
}

const CREDENTIALS = ['client_secret', 'client_key'] as const

/** What each `client_auth_method` takes. */
const CREDENTIAL_OF: Readonly<
  Record<AnyUpstreamConfig['client_auth_method'], (typeof CREDENTIALS)[number] | undefined>
> = {
  client_secret_basic: 'client_secret',
  client_secret_post: 'client_secret',
  private_key_jwt: 'client_key',
  none: undefined,
}

function credentialFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) => {
    const { client_auth_method: method } = upstream
    const wrong = CREDENTIALS.filter(
      (credential) =>
        (CREDENTIAL_OF[method] === credential) !== (upstream[credential] !== undefined),
    )
    return wrong.map((credential) => ({
      path: ['upstreams', name, credential],
      message:
        CREDENTIAL_OF[method] === credential
          ? `Required with client_auth_method ${method}`
          : `Not used with client_auth_method ${method}`,
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

// An issuer with `{tenantid}`: whoever has a tenant there can sign in with any name and address they like, so nothing that two
// tenants could both say may decide who somebody is, and the tenants are named.
import type { AnyUpstreamConfig, Config } from '../../schema.ts'
import type { SettingFault } from '../schema-faults.ts'

const TEMPLATE = /^[a-z]+:\/\/[^/{}]+\/([^{}]*\/)?\{tenantid\}(\/[^{}]*)?$/

export function tenantFaults({ upstreams }: Config): SettingFault[] {
  return Object.entries(upstreams).flatMap(([name, upstream]) =>
    faultsOf(upstream).map(({ at, message }) => ({ path: ['upstreams', name, ...at], message })),
  )
}

interface Fault {
  at: readonly string[]
  message: string
}

function faultsOf(upstream: AnyUpstreamConfig): Fault[] {
  const isTemplate = /[{}]/.test(upstream.issuer)
  if (upstream.kind === 'oauth2')
    return isTemplate ? [{ at: ['issuer'], message: 'An issuer has no braces' }] : []
  const needless = !isTemplate && upstream.allowed_tenants !== undefined
  if (needless)
    return [{ at: ['allowed_tenants'], message: 'Only used where the issuer holds {tenantid}' }]
  return isTemplate
    ? RULES.flatMap(({ isBroken, ...fault }) => (isBroken(upstream) ? [fault] : []))
    : []
}

type OidcConfig = Extract<AnyUpstreamConfig, { kind: 'oidc' }>

const RULES: readonly (Fault & { isBroken(upstream: OidcConfig): boolean })[] = [
  {
    at: ['issuer'],
    message: 'Expected {tenantid} once, as a whole part of the path, and no other braces',
    isBroken: ({ issuer }) => !TEMPLATE.test(issuer),
  },
  {
    at: ['endpoints', 'discovery'],
    message: 'Required where the issuer holds {tenantid}',
    isBroken: ({ endpoints }) => endpoints.discovery === undefined,
  },
  {
    at: ['allowed_tenants'],
    message:
      'Required where the issuer holds {tenantid}: the ids of the tenants whose people may sign in, or `any` for whoever has an account there',
    isBroken: ({ allowed_tenants: tenants }) => tenants === undefined,
  },
  {
    at: ['subject'],
    message: 'Expected hashed: people of two tenants could have the same sub',
    isBroken: ({ subject }) => subject !== 'hashed',
  },
  {
    at: ['subject_alias'],
    message: 'Not where the issuer holds {tenantid}: one tenant could say the claims of another',
    isBroken: ({ subject_alias: alias }) => alias !== undefined,
  },
  {
    at: ['client_auth_method'],
    message:
      'Not private_key_jwt where the issuer holds {tenantid}: the key proves itself to one issuer',
    isBroken: ({ client_auth_method: method }) => method === 'private_key_jwt',
  },
]

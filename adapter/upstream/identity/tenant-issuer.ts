// Issuers of providers with many tenants, one metadata document for all of them: `{tenantid}` in the issuer stands for the
// tenant, which the ID token names in `tid`. An issuer without it is compared as it is.
import type { Claims } from './safe-claims.ts'
import { shown } from './verify-jws.ts'

export type Tenants = readonly string[] | 'any'

const PLACEHOLDER = '{tenantid}'
const TENANT_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether an issuer can be that of one of the tenants, or is the one there is. */
export function isIssuerOf(configured: string, issuer: string): boolean {
  const [before = '', after] = configured.split(PLACEHOLDER)
  if (after === undefined) return issuer === configured
  const tenant = issuer.slice(before.length, issuer.length - after.length)
  return TENANT_ID.test(tenant) && issuer === `${before}${tenant}${after}`
}

export interface ExpectedIssuer {
  /** As configured. */
  issuer: string
  /** Those whose people may come; nobody's where it is absent. */
  tenants?: Tenants | undefined
}

/**
 * What is wrong with `iss`, and with `tid` where tenants are told apart by it. `keyIssuer` is what the JWKS says of the key
 * that signed: a key of one tenant must not speak for another.
 */
export function issuerFault(
  { iss, tid }: Claims,
  { issuer, tenants = [] }: ExpectedIssuer,
  keyIssuer: string | undefined,
): string | undefined {
  if (!issuer.includes(PLACEHOLDER)) return differs('iss', issuer, iss)
  if (typeof tid !== 'string' || !TENANT_ID.test(tid))
    return `tid: expected the id of a tenant, got ${shown(tid)}`
  const ofTenant = (template: string) => template.replace(PLACEHOLDER, tid)
  return (
    differs('iss', ofTenant(issuer), iss) ??
    (keyIssuer === undefined
      ? undefined
      : differs('iss, of the key that signed', ofTenant(keyIssuer), iss)) ??
    (tenants === 'any' || tenants.includes(tid)
      ? undefined
      : `tid: expected one of allowed_tenants, got "${tid}"`)
  )
}

function differs(name: string, expected: string, found: unknown): string | undefined {
  return found === expected ? undefined : `${name}: expected "${expected}", got ${shown(found)}`
}

// The doctor: fetches once, runs each check of the table in order, and reports. A fault of one check never hides another.
import type { AnyUpstreamConfig } from '../../config/schema.ts'
import { authoritiesFrom } from '../http/authorities.ts'
import { createOutgoingHttp } from '../http/outgoing-http.ts'
import { askForAuthorization } from './probes/authorization-probe.ts'
import { examine } from './exam.ts'
import type { Check, Finding, Verdict } from './finding.ts'
import { examineOAuth2, OAUTH2_CHECKS } from './checks/oauth2-checks.ts'
import { OIDC_CHECKS } from './checks/oidc-checks.ts'

export interface DoctorReport {
  upstream: string
  issuer: string
  /** To be registered at the provider. */
  callbackUrl: string
  findings: Finding[]
  counts: Record<Verdict, number>
}

export interface DoctorOptions {
  upstream: string
  config: AnyUpstreamConfig
  callbackUrl: string
  /** Epoch milliseconds. */
  now: () => number
}

/**
 * Never throws for a fault of the provider; each is a finding. Nothing in the report is a secret.
 * @throws ConfigError when `ca_file` or `client_key` can not be used
 */
export async function runDoctor(options: DoctorOptions): Promise<DoctorReport> {
  const { upstream, config, callbackUrl, now } = options
  const ca = authoritiesFrom(upstream, config)
  const { proxy } = config
  const http = createOutgoingHttp({ upstream, timeoutMs: config.timeout * 1000, ca, proxy })
  try {
    const patient = { name: upstream, callbackUrl, http, ca, now }
    const findings =
      config.kind === 'oidc'
        ? await runChecks(OIDC_CHECKS, await examine({ ...patient, config }, askForAuthorization))
        : await runChecks(OAUTH2_CHECKS, examineOAuth2({ ...patient, config }))
    return { upstream, issuer: config.issuer, callbackUrl, findings, counts: countsOf(findings) }
  } finally {
    await http.close()
  }
}

async function runChecks<E>(checks: readonly Check<E>[], exam: E): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const { id, isProbe = false, skip, run } of checks) {
    const outcome = skip?.(exam) ?? (await run(exam))
    findings.push({ check: id, isProbe, ...outcome })
  }
  return findings
}

function countsOf(findings: readonly Finding[]): Record<Verdict, number> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 }
  for (const { verdict } of findings) counts[verdict] += 1
  return counts
}

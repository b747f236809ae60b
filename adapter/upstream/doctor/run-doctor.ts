// The doctor: fetches once, runs each check of the table in order, and reports. A fault of one check never hides another.
import type { UpstreamConfig } from '../../config/schema.ts'
import { authoritiesFrom } from '../authorities.ts'
import { createOutgoingHttp } from '../outgoing-http.ts'
import {
  askForAuthorization,
  probeAuthorizationRequest,
  probeRedirectUri,
} from './authorization-probe.ts'
import {
  checkAcrValues,
  checkBackchannelLogout,
  checkCallback,
  checkEndSession,
  checkNonce,
  checkRefresh,
  checkSubject,
  checkUserinfo,
} from './capability-checks.ts'
import { probeClient } from './client-probe.ts'
import { examine } from './exam.ts'
import type { Exam } from './exam.ts'
import { skipped } from './finding.ts'
import type { Finding, Outcome, Verdict } from './finding.ts'
import { checkKeys } from './key-check.ts'
import {
  checkClientAuthMethod,
  checkEndpoints,
  checkIdTokenAlgs,
  checkIssParameter,
  checkIssuer,
  checkPkce,
  checkResponseMode,
  checkResponseType,
  checkScopes,
} from './metadata-checks.ts'
import { checkCertificate, checkClock, checkDiscovery } from './reachability.ts'

interface Check {
  id: string
  /** `document`: discovery answered; `metadata`: and a login would accept what it says. */
  needs: 'nothing' | 'document' | 'metadata'
  isProbe?: boolean
  run(exam: Exam): Outcome | Promise<Outcome>
}

const CHECKS: readonly Check[] = [
  { id: 'discovery', needs: 'nothing', run: checkDiscovery },
  { id: 'certificate', needs: 'nothing', run: checkCertificate },
  { id: 'clock', needs: 'document', run: checkClock },
  { id: 'issuer', needs: 'document', run: checkIssuer },
  { id: 'endpoints', needs: 'document', run: checkEndpoints },
  { id: 'keys', needs: 'document', run: checkKeys },
  { id: 'id-token-algs', needs: 'document', run: checkIdTokenAlgs },
  { id: 'pkce', needs: 'document', run: checkPkce },
  { id: 'nonce', needs: 'document', run: checkNonce },
  { id: 'response-type', needs: 'document', run: checkResponseType },
  { id: 'response-mode', needs: 'document', run: checkResponseMode },
  { id: 'iss-parameter', needs: 'document', run: checkIssParameter },
  { id: 'scopes', needs: 'document', run: checkScopes },
  { id: 'client-auth-method', needs: 'document', run: checkClientAuthMethod },
  { id: 'userinfo', needs: 'document', run: checkUserinfo },
  { id: 'end-session', needs: 'document', run: checkEndSession },
  { id: 'backchannel-logout', needs: 'document', run: checkBackchannelLogout },
  { id: 'refresh', needs: 'document', run: checkRefresh },
  { id: 'acr-values', needs: 'document', run: checkAcrValues },
  { id: 'client', needs: 'metadata', isProbe: true, run: probeClient },
  { id: 'redirect-uri', needs: 'metadata', isProbe: true, run: probeRedirectUri },
  {
    id: 'authorization-request',
    needs: 'metadata',
    isProbe: true,
    run: probeAuthorizationRequest,
  },
  { id: 'subject', needs: 'nothing', run: checkSubject },
  { id: 'callback', needs: 'nothing', run: checkCallback },
]

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
  config: UpstreamConfig
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
  const http = createOutgoingHttp({ upstream, timeoutMs: config.timeout * 1000, ca })
  try {
    const patient = { name: upstream, config, callbackUrl, http, ca, now }
    const exam = await examine(patient, askForAuthorization)
    const findings: Finding[] = []
    for (const check of CHECKS) findings.push(await findingOf(check, exam))
    return { upstream, issuer: config.issuer, callbackUrl, findings, counts: countsOf(findings) }
  } finally {
    await http.close()
  }
}

async function findingOf({ id, needs, isProbe = false, run }: Check, exam: Exam): Promise<Finding> {
  const outcome = reasonToSkip(needs, exam) ?? (await run(exam))
  return { check: id, isProbe, ...outcome }
}

function reasonToSkip(needs: Check['needs'], exam: Exam): Outcome | undefined {
  if (needs === 'nothing') return undefined
  if (!exam.discovery.document) return skipped('There is no discovery document to look at.')
  if (needs === 'metadata' && !exam.metadata)
    return skipped('Nothing is sent there before its issuer and endpoints are right.')
  return undefined
}

function countsOf(findings: readonly Finding[]): Record<Verdict, number> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 }
  for (const { verdict } of findings) counts[verdict] += 1
  return counts
}

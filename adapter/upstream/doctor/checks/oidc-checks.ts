// What the doctor checks of an OpenID Connect upstream, in the order of the report.
import { probeAuthorizationRequest, probeRedirectUri } from '../probes/authorization-probe.ts'
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
import { probeClient } from '../probes/client-probe.ts'
import type { Exam } from '../exam.ts'
import { skipped } from '../finding.ts'
import type { Check, Outcome } from '../finding.ts'
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
import { checkCertificate, checkClock, checkDiscovery } from '../probes/reachability.ts'

/** Discovery did not answer. */
const withoutDocument = ({ discovery }: Exam): Outcome | undefined =>
  discovery.document ? undefined : skipped('There is no discovery document to look at.')

/** A login would not accept what discovery says. */
const withoutMetadata = (exam: Exam): Outcome | undefined => {
  const missing = exam.metadata
    ? undefined
    : skipped('Nothing is sent there before its issuer and endpoints are right.')
  return withoutDocument(exam) ?? missing
}

export const OIDC_CHECKS: readonly Check<Exam>[] = [
  { id: 'discovery', run: checkDiscovery },
  { id: 'certificate', run: checkCertificate },
  { id: 'clock', skip: withoutDocument, run: checkClock },
  { id: 'issuer', skip: withoutDocument, run: checkIssuer },
  { id: 'endpoints', skip: withoutDocument, run: checkEndpoints },
  { id: 'keys', skip: withoutDocument, run: checkKeys },
  { id: 'id-token-algs', skip: withoutDocument, run: checkIdTokenAlgs },
  { id: 'pkce', skip: withoutDocument, run: checkPkce },
  { id: 'nonce', skip: withoutDocument, run: checkNonce },
  { id: 'response-type', skip: withoutDocument, run: checkResponseType },
  { id: 'response-mode', skip: withoutDocument, run: checkResponseMode },
  { id: 'iss-parameter', skip: withoutDocument, run: checkIssParameter },
  { id: 'scopes', skip: withoutDocument, run: checkScopes },
  { id: 'client-auth-method', skip: withoutDocument, run: checkClientAuthMethod },
  { id: 'userinfo', skip: withoutDocument, run: checkUserinfo },
  { id: 'end-session', skip: withoutDocument, run: checkEndSession },
  { id: 'backchannel-logout', skip: withoutDocument, run: checkBackchannelLogout },
  { id: 'refresh', skip: withoutDocument, run: checkRefresh },
  { id: 'acr-values', skip: withoutDocument, run: checkAcrValues },
  { id: 'client', skip: withoutMetadata, isProbe: true, run: probeClient },
  { id: 'redirect-uri', skip: withoutMetadata, isProbe: true, run: probeRedirectUri },
  {
    id: 'authorization-request',
    skip: withoutMetadata,
    isProbe: true,
    run: probeAuthorizationRequest,
  },
  { id: 'subject', run: checkSubject },
  { id: 'callback', run: checkCallback },
]

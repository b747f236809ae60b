// What the doctor checks of a plain OAuth 2.0 upstream: it has no metadata, so nearly all is found by probes.
import type { OAuth2UpstreamConfig } from '../../../config/schema.ts'
import {
  askForAuthorization,
  probeAuthorizationRequest,
  probeRedirectUri,
} from '../probes/authorization-probe.ts'
import type { AuthorizationAnswer } from '../probes/authorization-probe.ts'
import { checkCallback } from './capability-checks.ts'
import { probeClient } from '../probes/client-probe.ts'
import type { Patient, Probed } from '../exam.ts'
import { fail, pass, shown, warn } from '../finding.ts'
import type { Check, Outcome } from '../finding.ts'
import { certificateOf } from '../probes/reachability.ts'

export interface OAuth2Exam extends Probed {
  config: OAuth2UpstreamConfig
}

export function examineOAuth2(patient: Patient<OAuth2UpstreamConfig>): OAuth2Exam {
  const { issuer, endpoints } = patient.config
  let asked: Promise<AuthorizationAnswer> | undefined
  const exam: OAuth2Exam = {
    ...patient,
    metadata: {
      issuer,
      authorization_endpoint: endpoints.authorization,
      token_endpoint: endpoints.token,
    },
    offeredMethods: undefined,
    authorization: () => (asked ??= askForAuthorization(exam)),
  }
  return exam
}

export const OAUTH2_CHECKS: readonly Check<OAuth2Exam>[] = [
  {
    id: 'certificate',
    run: (exam) => certificateOf(new URL(exam.config.endpoints.token), exam),
  },
  { id: 'userinfo', run: checkUserinfoEndpoint },
  { id: 'client', isProbe: true, run: probeClient },
  { id: 'redirect-uri', isProbe: true, run: probeRedirectUri },
  { id: 'authorization-request', isProbe: true, run: probeAuthorizationRequest },
  { id: 'subject', run: checkSubjectClaim },
  { id: 'callback', run: checkCallback },
]

/** Asked without a token: one that is there refuses that. */
async function checkUserinfoEndpoint({ config, http }: OAuth2Exam): Promise<Outcome> {
  const url = config.endpoints.userinfo
  const fix = 'Check `endpoints.userinfo` against the provider’s documentation.'
  const headers = { accept: 'application/json', 'user-agent': 'auth-adapter' }
  const answer = await http.exchange(url, { headers }).catch((error: Error) => error)
  if (answer instanceof Error)
    return fail(`Expected a refusal for want of a token, found: ${answer.message}.`, { fix })
  const sentence = `Expected ${shown(url)} to refuse a request without a token, found status ${answer.status}.`
  if (answer.status === 404) return fail(sentence, { fix })
  return answer.status < 400
    ? warn(sentence, { fix })
    : pass(`${url} is there: without a token it answers ${answer.status}.`)
}

function checkSubjectClaim({ name, config }: OAuth2Exam): Outcome {
  const rule = config.subject === 'bare' ? 'as it is (bare)' : `as ${name}:<value> (prefixed)`
  return pass(
    `Apps see \`${config.subject_claim}\` of the userinfo answer ${rule}; it must never change.`,
  )
}

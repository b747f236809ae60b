// Checks of what the provider offers beyond a login, and what of ours depends on it.
import type { Exam, Patient } from '../exam.ts'
import { fail, listed, pass, settingOf, skipped, stringsOf, warn } from '../finding.ts'
import type { Outcome } from '../finding.ts'

const documentOf = (exam: Exam): Readonly<Record<string, unknown>> => exam.discovery.document ?? {}

export function checkNonce(): Outcome {
  return skipped('Metadata does not tell; an ID token without our nonce is refused at the login.')
}

export function checkUserinfo(exam: Exam): Outcome {
  const { userinfo, endpoints } = exam.config
  const isOffered = (endpoints.userinfo ?? documentOf(exam).userinfo_endpoint) !== undefined
  if (isOffered) return pass(`It has a userinfo endpoint; we ask it: ${userinfo}.`)
  if (userinfo === 'never')
    return skipped('It has no userinfo endpoint, and we do not ask for one.')
  return fail(`Expected a userinfo endpoint (userinfo: ${userinfo}), found none.`, {
    fix: 'Take claims from the ID token only.',
    snippet: settingOf(exam.name, 'userinfo: never'),
  })
}

export function checkEndSession(exam: Exam): Outcome {
  return documentOf(exam).end_session_endpoint !== undefined
    ? pass('It offers logout by the browser (end_session_endpoint).')
    : warn('Expected an end_session_endpoint, found none.', {
        fix: 'Nothing here: who signs out of the adapter stays signed in at this provider.',
      })
}

export function checkBackchannelLogout(exam: Exam): Outcome {
  return documentOf(exam).backchannel_logout_supported === true
    ? pass('It offers back-channel logout.')
    : skipped('It does not offer back-channel logout: a logout there is not told to us.')
}

export function checkRefresh(exam: Exam): Outcome {
  const grants = stringsOf(documentOf(exam).grant_types_supported) ?? []
  const scopes = stringsOf(documentOf(exam).scopes_supported) ?? []
  return grants.includes('refresh_token') || scopes.includes('offline_access')
    ? pass('It offers refresh tokens.')
    : skipped('Its metadata does not offer refresh tokens.')
}

export function checkAcrValues(exam: Exam): Outcome {
  const values = stringsOf(documentOf(exam).acr_values_supported)
  if (!values)
    return skipped('Its metadata lists no acr values; those that apps ask for may have no effect.')
  const rules = Object.values(exam.config.context.acr ?? {})
  const asked = rules.flatMap(({ acr_values }) => acr_values?.split(' ') ?? [])
  const unknown = asked.filter((name) => name !== '' && !values.includes(name))
  if (unknown.length === 0) return pass(`It knows the acr values ${listed(values)}.`)
  return warn(`Expected it to know the acr values ${listed(unknown)}, found ${listed(values)}.`, {
    fix: "Compare `acr_values` in the upstream's `context` with its documentation: a sign-in that it can not prove is refused.",
  })
}

export function checkSubject(exam: Exam): Outcome {
  const { name, config } = exam
  const rule = {
    bare: 'its `sub` as it is (bare)',
    prefixed: `${name}:<sub> (prefixed)`,
    hashed: 'a hash of issuer and `sub` (hashed)',
  }[config.subject]
  const types = stringsOf(documentOf(exam).subject_types_supported) ?? []
  const isPairwise = types.length > 0 && types.every((type) => type === 'pairwise')
  return pass(
    `Apps see ${rule}.${isPairwise ? ' It gives each client id subjects of its own: keep the client id.' : ''}`,
  )
}

export function checkCallback({ callbackUrl }: Patient): Outcome {
  return pass(`Register this redirect URI there: ${callbackUrl}`)
}

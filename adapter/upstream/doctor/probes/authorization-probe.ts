// Probe of our redirect URI and of the authorization request of a login: sent with prompt=none and without a cookie, so that
// nobody can be signed in. A provider sends its refusal to a redirect URI that it knows, and shows a page otherwise.
import { randomBytes } from 'node:crypto'
import { createUpstream } from '../../upstreams.ts'
import type { Probed } from '../exam.ts'
import { fail, pass, settingOf, shown, skipped, warn } from '../finding.ts'
import type { Outcome } from '../finding.ts'
import { getOnce } from './get-once.ts'
import type { PageAnswer } from './get-once.ts'

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

export type AuthorizationAnswer =
  /** Came back to our callback, with this error; undefined where it gave a code. */
  | { kind: 'returned'; error: string | undefined }
  | { kind: 'page'; answer: PageAnswer }
  | { kind: 'unreachable'; reason: string }

export async function askForAuthorization(exam: Probed): Promise<AuthorizationAnswer> {
  const { name, config, callbackUrl, http, now, ca } = exam
  try {
    const upstream = createUpstream({ name, config, http, now, log: SILENT })
    const url = await upstream.authorizationUrl({
      redirect_uri: callbackUrl,
      state: random(),
      nonce: random(),
      codeVerifier: random(),
      prompt: 'none',
    })
    const answer = await getOnce(url, { timeoutMs: http.timeoutMs, ca, proxy: config.proxy })
    const returned = returnedParameters(answer, callbackUrl)
    return returned
      ? { kind: 'returned', error: returned.get('error') ?? undefined }
      : { kind: 'page', answer }
  } catch (error) {
    const { code, name: kind } = error as { code?: unknown; name: string }
    return { kind: 'unreachable', reason: typeof code === 'string' ? code : kind }
  }
}

const random = () => randomBytes(32).toString('base64url')

/** By redirect, or by a form that posts itself. */
function returnedParameters(
  { location, text }: PageAnswer,
  callbackUrl: string,
): URLSearchParams | undefined {
  if (location) {
    const isOurs = location.origin + location.pathname === callbackUrl
    return isOurs ? location.searchParams : undefined
  }
  const plain = text.replaceAll('&#x2F;', '/').replaceAll('&#x3A;', ':')
  if (!plain.includes(`action="${callbackUrl}"`)) return undefined
  const error = /name="error"[^>]*value="([^"]*)"/.exec(text)?.[1]
  return new URLSearchParams(error === undefined ? {} : { error })
}

/** Pages of providers that answer 200 for this too. */
const NAMES_REDIRECT_URI = /redirect_uri_mismatch|AADSTS50011/

export async function probeRedirectUri(exam: Probed): Promise<Outcome> {
  const { callbackUrl } = exam
  const asked = await exam.authorization()
  if (asked.kind === 'returned') return pass('It sends its answer to our redirect URI.')
  if (asked.kind === 'unreachable')
    return warn(
      `Expected an answer of its authorization endpoint, found none from here (${asked.reason}).`,
      { fix: 'Look whether browsers can reach it; the adapter itself need not.' },
    )
  const { status, text, location } = asked.answer
  const expected = `Expected to be sent back to ${callbackUrl}, found`
  const isRefused = (status >= 400 && status < 500) || NAMES_REDIRECT_URI.test(text)
  if (isRefused)
    return fail(`${expected} an error page of the provider (status ${status}).`, {
      fix: `Register exactly ${callbackUrl} for the client "${exam.config.client_id}" there; if it is, check the client id.`,
    })
  const place = location
    ? `the address ${shown(location.origin + location.pathname)}`
    : `a page (status ${status})`
  return warn(`${expected} ${place}: it does not tell.`, {
    fix: 'Not every provider honours prompt=none. Try a login, and compare the registered redirect URI.',
  })
}

/** prompt=none, and nobody is signed in: all else was right. */
const AS_EXPECTED = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

const FIX_OF_ERROR: Readonly<Record<string, string>> = {
  invalid_scope: 'Leave out the scope that it refuses, or allow it for our client there.',
  unauthorized_client: 'Allow the authorization code flow for our client there.',
  unsupported_response_type: 'Allow the authorization code flow for our client there.',
  invalid_request: 'Look at `authorization_params`, `response_mode` and PKCE at the provider.',
  access_denied: 'Give our client access there.',
}

export async function probeAuthorizationRequest(exam: Probed): Promise<Outcome> {
  const { name, config } = exam
  const asked = await exam.authorization()
  if (asked.kind !== 'returned') return skipped('It did not answer to our redirect URI; see there.')
  const { error } = asked
  if (error === undefined || AS_EXPECTED.has(error))
    return pass(
      `It took the request of a login${error ? ` (${error}, as nobody is signed in)` : ''}.`,
    )
  const sentence = `Expected login_required for a request with the scopes "${config.scope ?? ''}", found ${shown(error)}.`
  const fix = FIX_OF_ERROR[error]
  if (!fix) return warn(sentence, { fix: 'Try a login; its own log may say what it did not like.' })
  const snippet = settingOf(
    name,
    config.kind === 'oidc' ? 'scope: openid' : 'scope: <what it knows>',
  )
  return fail(sentence, error === 'invalid_scope' ? { fix, snippet } : { fix })
}

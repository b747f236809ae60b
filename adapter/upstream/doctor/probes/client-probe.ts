// Probe of our client id, secret and authentication method: a token request with a code that nobody issued. A provider
// that complains about the code has accepted the client. Harmless: there is nothing to redeem.
import { randomBytes } from 'node:crypto'
import type { UpstreamConfig } from '../../../config/schema.ts'
import { UpstreamError } from '../../../errors.ts'
import { startDeadline } from '../../http/deadline.ts'
import { clientAuthFrom, requestTokens } from '../../token/token-request.ts'
import type { TokenMetadata } from '../../token/token-request.ts'
import type { Probed } from '../exam.ts'
import { fail, pass, settingOf, warn } from '../finding.ts'
import type { Outcome } from '../finding.ts'

type Method = UpstreamConfig['client_auth_method']

const random = () => randomBytes(32).toString('base64url')

/** The refusal; undefined where the code was taken. */
async function refusalFor(
  exam: Probed,
  metadata: TokenMetadata,
  method: Method,
): Promise<UpstreamError | undefined> {
  const { name: upstream, config, callbackUrl, http } = exam
  const clientAuth = clientAuthFrom(upstream, { ...config, client_auth_method: method })
  const expected = {
    redirect_uri: callbackUrl,
    state: random(),
    nonce: random(),
    codeVerifier: random(),
  }
  const { signal, clear } = startDeadline(http.timeoutMs)
  const client = { upstream, clientId: config.client_id, clientAuth, http, signal }
  try {
    await requestTokens(metadata, random(), expected, client)
    return undefined
  } catch (error) {
    if (error instanceof UpstreamError) return error
    throw error
  } finally {
    clear()
  }
}

/** The second is GitHub's word for it. */
const CLIENT_REFUSED = ['invalid_client', 'incorrect_client_credentials']

/** The word for it; a 401 with a WWW-Authenticate header has no OAuth error. */
function clientRefusal({ code, oauthError = 'invalid_client' }: UpstreamError): string | undefined {
  return code === 'client_rejected' && CLIENT_REFUSED.includes(oauthError) ? oauthError : undefined
}

/** What it says of itself may be an echo of what we sent; only these are repeated. */
const OTHER_ERRORS: Readonly<Record<string, string>> = {
  unauthorized_client: 'Allow the authorization code grant for our client there.',
  unsupported_grant_type: 'Allow the authorization code grant for our client there.',
}

export async function probeClient(exam: Probed): Promise<Outcome> {
  const { config, metadata } = exam
  const method = config.client_auth_method
  if (!metadata) return fail('Expected metadata, found none.', { fix: 'See `discovery`.' })
  const refusal = await refusalFor(exam, metadata, method)
  if (!refusal)
    return fail('Expected a refusal of a made-up code, found that it gave tokens for it.', {
      fix: 'Do not use this provider: it checks nothing.',
    })
  if (refusal.code === 'code_rejected')
    return pass(`It refused a made-up code as such, so it knows our client by ${method}.`)
  const word = clientRefusal(refusal)
  if (word !== undefined) return clientRefused(exam, metadata, word)
  if (refusal.code === 'unavailable')
    return fail(`Expected invalid_grant for a made-up code, found: ${refusal.message}.`, {
      fix: 'Look at `token_endpoint` in its metadata, and at what stands between here and there.',
    })
  const known = Object.keys(OTHER_ERRORS).find((error) => error === refusal.oauthError)
  return known
    ? fail(`Expected invalid_grant for a made-up code, found ${known}.`, {
        fix: OTHER_ERRORS[known] as string,
      })
    : warn('Expected invalid_grant for a made-up code, found another error: it does not tell.', {
        fix: 'Try a login; its own log may say what it did not like.',
      })
}

interface MethodRemedy {
  fix: string
  setting(name: string): string
}

const WITH_SECRET: MethodRemedy = {
  fix: 'Check `client_id` and `client_secret`: copy both again; a secret may also have ended.',
  setting: (name) => `client_secret: \${${variableFor(name)}}`,
}

const WITH_KEY: MethodRemedy = {
  fix: 'Register the public part of `client_key` there; check `client_id`, the key id and our clock.',
  setting: () => 'client_key_id: <the kid that it has there>',
}

/** What to look at when our client is refused; the other methods sign with a key. */
const REMEDY_OF_METHOD: Readonly<Record<string, MethodRemedy>> = {
  client_secret_basic: WITH_SECRET,
  client_secret_post: WITH_SECRET,
  apple_jwt: {
    fix: 'Check `client_id` (the Services ID), `client_key`, `team_id`, the key id and our clock.',
    setting: () => 'client_key_id: <the id of the key>',
  },
  none: {
    fix: 'Check `client_id`; if the client has a secret there, give it and say how to send it.',
    setting: () => 'client_auth_method: client_secret_basic',
  },
}

/** Says whether it was the method: one more try with the other one, where the provider offers that. */
async function clientRefused(
  exam: Probed,
  metadata: TokenMetadata,
  word: string,
): Promise<Outcome> {
  const { name, config } = exam
  const method = config.client_auth_method
  const sentence = `Expected the client "${config.client_id}" to be accepted by ${method}, found that it is refused (${word})`
  const other = method === 'client_secret_basic' ? 'client_secret_post' : 'client_secret_basic'
  const mayTry =
    method.startsWith('client_secret_') && (exam.offeredMethods?.includes(other) ?? true)
  const second = mayTry ? await refusalFor(exam, metadata, other) : undefined
  if (second?.code === 'code_rejected')
    return fail(`${sentence}; ${other} is accepted.`, {
      fix: 'Use that method.',
      snippet: settingOf(name, `client_auth_method: ${other}`),
    })
  const remedy = REMEDY_OF_METHOD[method] ?? WITH_KEY
  return fail(`${sentence}${second ? `, and by ${other} too` : ''}.`, {
    fix: remedy.fix,
    snippet: settingOf(name, remedy.setting(name)),
  })
}

function variableFor(name: string): string {
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_SECRET`
}

// Checks of what the provider says about itself, against what is configured. No I/O: all was fetched before.
import { metadataFrom } from '../../metadata/discovery.ts'
import { issuerDifference } from '../../metadata/issuer-difference.ts'
import type { Exam } from '../exam.ts'
import { fail, listed, pass, settingOf, shown, skipped, stringsOf, warn } from '../finding.ts'
import type { Outcome } from '../finding.ts'

const AT_PROVIDER = 'Change it at the provider, or ask who runs it.'

const documentOf = (exam: Exam): Readonly<Record<string, unknown>> => exam.discovery.document ?? {}

export function checkIssuer({ config, name, discovery }: Exam): Outcome {
  const found = discovery.document?.issuer
  if (found === config.issuer) return pass(`The metadata is that of ${config.issuer}.`)
  const difference = issuerDifference(config.issuer, found)
  const sentence = `Expected the issuer "${config.issuer}", found ${shown(found)}`
  if (typeof found !== 'string') return fail(`${sentence}.`, { fix: AT_PROVIDER })
  if (difference?.includes('placeholder')) {
    return fail(`${sentence}: ${difference}.`, {
      fix: 'Use the issuer of one tenant: put its id where the placeholder is. For several, write `{tenantid}` there, and name them in `allowed_tenants`.',
    })
  }
  const snippet = settingOf(name, `issuer: ${shown(found)}`)
  return difference
    ? fail(`${sentence}: ${difference}.`, { fix: 'Write it as the provider does.', snippet })
    : fail(`${sentence}: this is the metadata of another issuer.`, {
        fix: 'Check the address. Take the one found only if you know it to be your provider: it decides who signs in.',
        snippet,
      })
}

export function checkEndpoints({ config, name, discovery }: Exam): Outcome {
  try {
    // The issuer has a check of its own.
    const document = { ...discovery.document, issuer: config.issuer }
    metadataFrom(document, name, config.issuer, config.endpoints)
    return pass(
      'Authorization, token and JWKS endpoints are there, all over https or on this machine.',
    )
  } catch (error) {
    const fault = (error as Error).message.replace(/^Discovery metadata: /, '')
    return fail(`Expected https endpoints for authorization, token and keys, found: ${fault}.`, {
      fix: AT_PROVIDER,
    })
  }
}

export function checkIdTokenAlgs(exam: Exam): Outcome {
  const accepted: readonly string[] = exam.config.id_token_algs
  const offered = stringsOf(documentOf(exam).id_token_signing_alg_values_supported)
  if (!offered)
    return warn(
      `Expected a list of ID token algorithms, found none; we accept ${listed(accepted)}.`,
      {
        fix: 'Nothing, if logins work; the key check says what its keys can do.',
      },
    )
  const common = offered.filter((alg) => accepted.includes(alg))
  if (common.length > 0) return pass(`ID tokens may be signed with ${listed(common)}.`)
  const sentence = `Expected ID tokens signed with ${listed(accepted)}, found ${listed(offered)} offered.`
  const asymmetric = offered.filter((alg) => /^((RS|PS|ES)(256|384|512)|EdDSA|Ed25519)$/.test(alg))
  return asymmetric.length === 0
    ? fail(sentence, {
        fix: 'Let the provider sign with RS256: shared-key signatures and none are refused.',
      })
    : fail(sentence, {
        fix: 'Accept one that it offers.',
        snippet: settingOf(exam.name, `id_token_algs: [${asymmetric.join(', ')}]`),
      })
}

export function checkPkce(exam: Exam): Outcome {
  const methods = stringsOf(documentOf(exam).code_challenge_methods_supported)
  if (methods?.includes('S256')) return pass('It supports PKCE with S256, which we always use.')
  return methods
    ? fail(`Expected PKCE with S256, found ${listed(methods)}.`, { fix: AT_PROVIDER })
    : warn('Expected PKCE with S256 to be advertised, found no word about PKCE.', {
        fix: 'Ask whether it supports PKCE. We send the challenge anyway; who does not know it ignores it.',
      })
}

export function checkResponseType(exam: Exam): Outcome {
  const types = stringsOf(documentOf(exam).response_types_supported)
  if (types?.includes('code')) return pass('It supports the authorization code flow.')
  return types
    ? fail(`Expected the response type code, found ${listed(types)}.`, { fix: AT_PROVIDER })
    : warn('Expected a list of response types with code, found none.', { fix: AT_PROVIDER })
}

export function checkResponseMode(exam: Exam): Outcome {
  const mode = exam.config.response_mode
  const modes = stringsOf(documentOf(exam).response_modes_supported)
  // OpenID Connect Discovery §3, the default: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
  if ((modes ?? ['query', 'fragment']).includes(mode)) return pass(`It can answer by ${mode}.`)
  const other = mode === 'query' ? 'form_post' : 'query'
  return fail(
    `Expected the response mode ${mode}, found ${listed(modes ?? ['query', 'fragment'])}.`,
    {
      fix: `Use ${other}, if it offers that.`,
      snippet: settingOf(exam.name, `response_mode: ${other}`),
    },
  )
}

export function checkScopes(exam: Exam): Outcome {
  const wanted = exam.config.scope.split(' ')
  const offered = stringsOf(documentOf(exam).scopes_supported)
  if (!offered) return skipped('Its metadata lists no scopes.')
  const missing = wanted.filter((scope) => !offered.includes(scope))
  if (missing.length === 0) return pass(`It knows each scope we ask for: ${listed(wanted)}.`)
  const kept = wanted.filter((scope) => offered.includes(scope))
  return warn(`Expected the scopes ${listed(wanted)}, found no word about ${listed(missing)}.`, {
    fix: 'Check the spelling; a provider may know scopes that it does not list, the redirect-uri probe tells.',
    snippet: settingOf(exam.name, `scope: ${kept.join(' ') || 'openid'}`),
  })
}

export function checkIssParameter(exam: Exam): Outcome {
  const promises = documentOf(exam).authorization_response_iss_parameter_supported === true
  return promises
    ? pass('Its answers name their issuer (RFC 9207); one that does not is refused.')
    : pass('Its answers need not name their issuer; its callback of its own keeps them apart.')
}

export function checkClientAuthMethod(exam: Exam): Outcome {
  const method = exam.config.client_auth_method
  const stated = stringsOf(documentOf(exam).token_endpoint_auth_methods_supported)
  // OpenID Connect Discovery §3, the default: https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
  const methods = stated ?? ['client_secret_basic']
  const isKnown = methods.includes(SENT_AS[method] ?? method)
  if (isKnown) return pass(`It knows ${SENT_AS[method] ?? method}.`)
  const common = KNOWN_METHODS.find((known) => methods.includes(known))
  const sentence = `Expected the client authentication method ${method}, found ${listed(methods)}.`
  return common
    ? fail(sentence, {
        fix: `Use a method that it offers${common === 'private_key_jwt' ? '; this one needs `client_key`' : ''}.`,
        snippet: settingOf(exam.name, `client_auth_method: ${common}`),
      })
    : fail(sentence, { fix: `Register our client there with one of ${listed(KNOWN_METHODS)}.` })
}

/** Apple's signed secret travels as any other. */
const SENT_AS: Readonly<Record<string, string>> = { apple_jwt: 'client_secret_post' }

const KNOWN_METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']

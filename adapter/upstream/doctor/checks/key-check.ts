// Check of the provider's JWKS: can be read, and holds keys that a login would use.
import { createJwksCache } from '../../metadata/jwks-cache.ts'
import type { KeySet } from '../../metadata/jwks-cache.ts'
import type { Exam } from '../exam.ts'
import { fail, listed, pass, settingOf, shown } from '../finding.ts'
import type { Outcome } from '../finding.ts'
import { faultOfFetched } from '../probes/reachability.ts'

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA'.split(' ')

export async function checkKeys(exam: Exam): Promise<Outcome> {
  const { jwks, config, name } = exam
  if (!jwks)
    return fail('Expected a jwks_uri, found none that is a URL.', { fix: 'See `endpoints`.' })
  const fault = faultOfFetched(jwks, 'Check `jwks_uri` in the provider’s metadata.')
  if (fault) return fault
  const keySet = await keySetOf(exam).catch((error: Error) => error)
  if (keySet instanceof Error)
    return fail(`Expected a set of keys at ${shown(jwks.url)}, found: ${keySet.message}.`, {
      fix: 'The provider has to repair its JWKS.',
    })
  const usable = await algorithmsOf(keySet, jwks.document, config.id_token_algs)
  if (usable.length > 0) return pass(`Its keys verify ${listed(usable)}.`)
  const possible = await algorithmsOf(keySet, jwks.document, ALGORITHMS)
  const sentence = `Expected a public signing key for ${listed(config.id_token_algs)}, found ${possible.length > 0 ? `keys for ${listed(possible)}` : 'none that is usable'}.`
  return possible.length > 0
    ? fail(sentence, {
        fix: 'Accept what its keys are for.',
        snippet: settingOf(name, `id_token_algs: [${possible.join(', ')}]`),
      })
    : fail(sentence, { fix: 'The provider has to publish one (RSA of 2048 bits or more, or EC).' })
}

/** The set as a login sees it, out of what was fetched already. */
function keySetOf({ name, http, now, jwks }: Exam): Promise<KeySet> {
  const answer = {
    status: 200,
    headers: { 'content-type': 'application/json' },
    text: JSON.stringify(jwks?.document),
  }
  const asFetched = { ...http, exchange: async () => answer }
  const jwksUri = async () => jwks?.url ?? ''
  const cache = createJwksCache({ upstream: name, jwksUri, http: asFetched, now, log: SILENT })
  return cache.current()
}

async function algorithmsOf(
  keySet: KeySet,
  document: Readonly<Record<string, unknown>> | undefined,
  algorithms: readonly string[],
): Promise<string[]> {
  const keys = (document?.keys ?? []) as ({ kid?: unknown } | null)[]
  const kids = keys.map((key) => key?.kid)
  const found = await Promise.all(
    algorithms.map(async (alg) => {
      const fitting = await Promise.all(
        kids.map((kid) => keySet.find({ alg, kid: typeof kid === 'string' ? kid : undefined })),
      )
      return fitting.some((key) => key !== undefined) ? alg : undefined
    }),
  )
  return found.filter((alg) => alg !== undefined)
}

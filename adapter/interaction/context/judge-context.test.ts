import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { configSchema, type AnyUpstreamConfig } from '../../config/schema.ts'
import { UpstreamError } from '../../errors.ts'
import { judgeContext } from './judge-context.ts'

const NAMES = ['urn:a', 'urn:b', 'urn:c', 'constructor', '__proto__']
const SAID = ['one', 'two', 'three', 'urn:a', '__proto__']

function upstream(acr: object | undefined): AnyUpstreamConfig {
  const up = {
    kind: 'oidc',
    issuer: 'https://up.test',
    client_id: 'a',
    client_secret: 'b',
    context: acr === undefined ? {} : { acr },
  }
  const config = configSchema.parse({
    issuer: 'http://127.0.0.1:9000',
    upstreams: { up },
    clients: {},
  })
  return config.upstreams['up'] as AnyUpstreamConfig
}

const some = (of: readonly string[]) => fc.uniqueArray(fc.constantFrom(...of), { maxLength: 3 })
const proof = fc
  .record({ acr: some(SAID), amr_any: some(SAID), amr_all: some(SAID) })
  .map((rules) => Object.fromEntries(Object.entries(rules).filter(([, list]) => list.length > 0)))
  .filter((rules) => Object.keys(rules).length > 0)
const table = fc.uniqueArray(fc.tuple(fc.constantFrom<string>('urn:a', 'urn:b', 'urn:c'), proof), {
  selector: ([name]) => name,
})
const said = fc.record(
  { upstream: fc.constant('up'), acr: fc.constantFrom(...SAID), amr: some(SAID) },
  { requiredKeys: ['upstream'] },
)

/** Written anew, so that one mistake is not made twice. */
function holds(
  rules: Record<string, readonly string[]>,
  { acr, amr = [] }: { acr?: string; amr?: string[] },
): boolean {
  const missing = (rules['amr_all'] ?? []).filter((method) => !amr.includes(method))
  const isAnyThere = !rules['amr_any'] || amr.some((method) => rules['amr_any']?.includes(method))
  const isAcrRight = !rules['acr'] || rules['acr'].some((name) => name === acr)
  return missing.length === 0 && isAnyThere && isAcrRight
}

describe(judgeContext, () => {
  it('A49 whatever is asked and said: the acr told is one whose proof holds, and a demand that none meets is refused', () => {
    fc.assert(
      fc.property(table, said, some(NAMES), fc.boolean(), (rows, answer, asked, isEssential) => {
        const acr = Object.fromEntries(rows.map(([name, proven_by]) => [name, { proven_by }]))
        const params = isEssential
          ? { claims: JSON.stringify({ id_token: { acr: { essential: true, values: asked } } }) }
          : { acr_values: asked.join(' ') }
        const proven = rows.filter(([, rules]) => holds(rules, answer)).map(([name]) => name)
        const wanted = asked.filter((name) => proven.includes(name))
        const judge = () => judgeContext({ upstream: upstream(acr), params, askedAt: 0 }, answer)
        if (asked.length > 0 && wanted.length === 0) expect(judge).toThrow(UpstreamError)
        else expect(judge()).toEqual({ acrs: proven, acr: wanted[0] ?? proven[0] })
      }),
      { numRuns: 1000 },
    )
  })

  it('A49 without a table the acr told is what the upstream said, and an essential one must be it', () => {
    fc.assert(
      fc.property(said, some(SAID), fc.boolean(), (answer, asked, isEssential) => {
        const params = isEssential
          ? { claims: JSON.stringify({ id_token: { acr: { essential: true, values: asked } } }) }
          : { acr_values: asked.join(' ') }
        const judge = () =>
          judgeContext({ upstream: upstream(undefined), params, askedAt: 0 }, answer)
        const isMet = asked.length === 0 || asked.some((name) => name === answer.acr)
        if (isEssential && !isMet) expect(judge).toThrow(UpstreamError)
        else expect(judge().acr).toBe(answer.acr)
      }),
    )
  })

  it.each([
    [30, false],
    [31, true],
  ])('prompt=login, and signed in %i s before: the clocks may differ by 30 s', (early, isOld) => {
    const question = { upstream: upstream(undefined), params: { prompt: 'login' }, askedAt: 1e12 }
    const judge = () => judgeContext(question, { upstream: 'up', auth_time: 1e9 - early })
    if (isOld) expect(judge).toThrow('did')
    else expect(judge()).toEqual({ acrs: [], acr: undefined })
  })
})

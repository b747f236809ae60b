import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { loadConfig } from '../load-config.ts'

const OIDC = { kind: 'oidc', issuer: 'https://one.example' }
const OAUTH2 = {
  kind: 'oauth2',
  issuer: 'https://one.example',
  endpoints: {
    authorization: 'https://one.example/authorize',
    token: 'https://one.example/token',
    userinfo: 'https://one.example/user',
  },
}

function load(context: unknown, kind: object = OIDC) {
  const one = { ...kind, client_id: 'id', client_secret: 'secret', context }
  const text = JSON.stringify({ issuer: 'http://127.0.0.1:9000', upstreams: { one }, clients: {} })
  return loadConfig({ file: 'auth-adapter.yaml', text, env: {} }).config.upstreams['one']?.context
}

function faults(context: unknown, kind?: object): string[] {
  try {
    load(context, kind)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(({ path, message }) => `${path}: ${message}`)
  }
}

describe('upstreams.*.context', () => {
  it('absent: no table, two hints passed on, prompt=none is not asked', () => {
    expect(load(undefined)).toEqual({ forward: ['login_hint', 'ui_locales'], prompt_none: false })
    expect(load(undefined, OAUTH2)).toEqual({ forward: ['login_hint'] })
  })

  it('takes a whole table', () => {
    const rule = {
      acr_values: 'phr',
      params: { claims: '{"id_token":{"acr":{"essential":true,"value":"phr"}}}' },
      proven_by: { acr: ['phr'], amr_any: ['otp'], amr_all: ['mfa'] },
    }
    expect(load({ acr: { 'urn:mfa': rule } })).toMatchObject({ acr: { 'urn:mfa': rule } })
  })

  it.each(['state', 'redirect_uri', 'prompt', 'max_age', 'acr_values', 'claims', 'id_token_hint'])(
    'passes no %s of an app on as it comes',
    (name) => {
      const gives =
        'upstreams.one.context.forward.0: This parameter belongs to the sign-in itself and can not be passed on as it comes'
      expect(faults({ forward: [name] })).toEqual([gives])
      expect(faults({ forward: [name] }, OAUTH2)).toEqual([gives])
    },
  )

  const acr = (rule: object) => ({ acr: { 'urn:mfa': rule } })
  const at = 'upstreams.one.context.acr.urn:mfa'
  const WRONG: [name: string, context: object, gives: RegExp][] = [
    ['a proof of nothing', acr({ proven_by: {} }), /proven_by: Expected acr, amr_any or amr_all/],
    ['no proof', acr({ acr_values: 'phr' }), new RegExp(`^${at}\\.proven_by: `)],
    ['an empty proof', acr({ proven_by: { acr: [] } }), new RegExp(`^${at}\\.proven_by\\.acr: `)],
    [
      'a parameter of the sign-in',
      acr({ params: { nonce: 'x' }, proven_by: { acr: ['phr'] } }),
      /params\.nonce: This parameter belongs to the sign-in itself/,
    ],
    [
      'claims that are no JSON object',
      acr({ params: { claims: 'acr' }, proven_by: { acr: ['phr'] } }),
      /params\.claims: Expected a JSON object/,
    ],
    ['an acr with a space', { acr: { 'a b': { proven_by: { acr: ['phr'] } } } }, /Expected an acr/],
  ]
  it.each(WRONG)('refuses %s', (_name, context, gives) => {
    expect(faults(context)).toEqual([expect.stringMatching(gives)])
  })

  it('A49 plain OAuth 2.0 proves no acr, and is not asked without a page', () => {
    expect(faults(acr({ proven_by: { acr: ['phr'] } }), OAUTH2)).toHaveLength(1)
    expect(faults({ prompt_none: true }, OAUTH2)).toHaveLength(1)
  })
})

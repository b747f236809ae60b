// The token endpoint: a code counts once, for the app, redirect URI and verifier it was made for.
import { describe, expect, it } from 'vitest'
import { basic, type RedeemOptions } from '../test-support/app.ts'
import type { Browser } from '../test-support/browser.ts'
import { startChain, type Chain } from '../test-support/chain.ts'
import { useChain, useClock } from '../test-support/use-chain.ts'

interface IssuedCode {
  code: string
  verifier: string
  browser: Browser
}

async function issueCode(chain: Chain): Promise<IssuedCode> {
  const browser = chain.newBrowser()
  const { url, verifier } = chain.app.request()
  const visit = await chain.signIn(browser, url)
  return { code: visit.url.searchParams.get('code') as string, verifier, browser }
}

describe.each(['memory', 'sqlite'] as const)('codes in %s', (storage) => {
  const on = useChain({ storage })
  const clock = useClock()

  it('C28 code, verifier and secret: 200', async () => {
    const { code, verifier } = await issueCode(on.chain)
    expect((await on.chain.app.redeem(code, { verifier })).status).toBe(200)
  })

  it('C19 C20 used twice: invalid_grant, and what was issued for it ends', async () => {
    const { code, verifier } = await issueCode(on.chain)
    const first = await on.chain.app.redeem(code, { verifier })
    expect((await on.chain.app.userinfo(first.body.access_token)).status).toBe(200)
    const second = await on.chain.app.redeem(code, { verifier })
    expect([second.status, second.body['error']]).toEqual([400, 'invalid_grant'])
    expect((await on.chain.app.userinfo(first.body.access_token)).status).toBe(401)
  })

  it.each([
    '/oauth2/token/',
    '/oauth2/Token',
    '/OAUTH2/token',
    '/oauth2//token',
    '/oauth2/%74oken',
  ])('A02 A47 no other spelling of the token endpoint takes a code: %s', async (path) => {
    const { code, verifier } = await issueCode(on.chain)
    const { clientId, secret, redirectUri } = on.chain.app
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })
    const response = await fetch(on.chain.url + path, {
      method: 'POST',
      headers: { authorization: basic(clientId, secret) },
      body,
    })
    expect(response.status).toBe(404)
    expect((await on.chain.app.redeem(code, { verifier })).status).toBe(200)
  })

  it('C20 used again after 30 seconds: the same', async () => {
    const { code, verifier } = await issueCode(on.chain)
    const first = await on.chain.app.redeem(code, { verifier })
    clock.advance(30)
    expect((await on.chain.app.redeem(code, { verifier })).body['error']).toBe('invalid_grant')
    expect((await on.chain.app.userinfo(first.body.access_token)).status).toBe(401)
  })

  it('C34 after 61 seconds: invalid_grant', async () => {
    const { code, verifier } = await issueCode(on.chain)
    clock.advance(61)
    const late = await on.chain.app.redeem(code, { verifier })
    expect([late.status, late.body['error']]).toEqual([400, 'invalid_grant'])
  })

  it('after 55 seconds: 200', async () => {
    const { code, verifier } = await issueCode(on.chain)
    clock.advance(55)
    expect((await on.chain.app.redeem(code, { verifier })).status).toBe(200)
  })

  it('A20 50 parallel redemptions of one code: exactly one 200', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { code, verifier } = await issueCode(on.chain)
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => on.chain.app.redeem(code, { verifier })),
      )
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
      const refused = answers.filter(({ status }) => status !== 200)
      expect(
        new Set(refused.map(({ status, body }) => `${status} ${String(body['error'])}`)),
      ).toEqual(new Set(['400 invalid_grant']))
      const token = answers.find(({ status }) => status === 200)?.body.access_token as string
      expect((await on.chain.app.userinfo(token)).status).toBe(401)
    }
  })

  const WRONG: [name: string, options: RedeemOptions & { keepsVerifier?: boolean }][] = [
    [
      'C33 another client',
      { credentials: { clientId: 'second-client', secret: 'second-secret' }, keepsVerifier: true },
    ],
    ['C29 another verifier', { verifier: 'v'.repeat(43) }],
    ['C29 no verifier', { verifier: undefined }],
    ['C29 an empty verifier', { verifier: '' }],
    ['C29 a verifier that is too long', { verifier: 'v'.repeat(129) }],
    [
      'another redirect URI',
      { redirectUri: 'http://127.0.0.1:8081/login/oauth2/code/auth-adapter', keepsVerifier: true },
    ],
    [
      'the redirect URI with a query',
      {
        redirectUri: 'http://127.0.0.1:8080/login/oauth2/code/auth-adapter?x',
        keepsVerifier: true,
      },
    ],
    ['no redirect URI', { redirectUri: undefined, keepsVerifier: true }],
    ['an empty redirect URI', { redirectUri: '', keepsVerifier: true }],
  ]
  it.each(WRONG)(
    'A02 A13 a stolen code with %s: refused, and no token afterwards (CVE-2023-0264, CVE-2024-23647)',
    async (_name, { keepsVerifier, ...options }) => {
      const { code, verifier } = await issueCode(on.chain)
      const stolen = await on.chain.app.redeem(code, {
        ...options,
        ...(keepsVerifier ? { verifier } : {}),
      })
      expect(stolen.status).toBe(400)
      expect(stolen.body['error']).toMatch(/^invalid_(grant|request)$/)
      expect(stolen.body).not.toHaveProperty('access_token')
      if (stolen.body['error'] !== 'invalid_grant') return
      const honest = await on.chain.app.redeem(code, { verifier })
      expect([honest.status, honest.body['error']]).toEqual([400, 'invalid_grant'])
    },
  )
})

describe('client authentication and the form', () => {
  const on = useChain({
    config: {
      clients: {
        old: {
          client_secret: 's%:+ &/=~',
          pkce: 'optional',
          redirect_uris: ['http://127.0.0.1:8083/callback'],
          scope: 'openid',
        },
      },
    },
  })

  async function post(form: Record<string, string> | string, headers: Record<string, string> = {}) {
    const body = typeof form === 'string' ? form : new URLSearchParams(form)
    const response = await fetch(`${on.chain.url}/oauth2/token`, { method: 'POST', body, headers })
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    }
  }

  it('C02 client_secret_post', async () => {
    const { code, verifier } = await issueCode(on.chain)
    const { status } = await post({
      grant_type: 'authorization_code',
      code,
      code_verifier: verifier,
      redirect_uri: on.chain.app.redirectUri,
      client_id: 'client',
      client_secret: 'secret',
    })
    expect(status).toBe(200)
  })

  it('A45 an unknown client and a wrong secret get the same answer', async () => {
    const form = {
      grant_type: 'authorization_code',
      code: 'x',
      redirect_uri: on.chain.app.redirectUri,
    }
    const wrong = await post(form, { authorization: basic('client', 'wrong') })
    const unknown = await post(form, { authorization: basic('nobody', 'wrong') })
    expect(wrong.status).toBe(401)
    expect(wrong.body['error']).toBe('invalid_client')
    expect([unknown.status, unknown.body]).toEqual([wrong.status, wrong.body])
    expect(unknown.headers.get('www-authenticate')).toBe(wrong.headers.get('www-authenticate'))
    expect(JSON.stringify(wrong.body)).not.toMatch(/not found|mismatch|secret/i)
  })

  it('a secret of any characters works, form-encoded as RFC 6749 has it', async () => {
    const { status, body } = await post(
      {
        grant_type: 'authorization_code',
        code: 'x',
        redirect_uri: 'http://127.0.0.1:8083/callback',
      },
      { authorization: basic('old', 's%:+ &/=~') },
    )
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  })

  it('A13 a verifier for a code that was asked for without challenge is refused (CVE-2024-23647)', async () => {
    const redirect_uri = 'http://127.0.0.1:8083/callback'
    const { url } = on.chain.app.request({
      client_id: 'old',
      redirect_uri,
      scope: 'openid',
      code_challenge: undefined,
      code_challenge_method: undefined,
    })
    const visit = await on.chain.signIn(on.chain.newBrowser(), url)
    const code = visit.url.searchParams.get('code') as string
    const { status, body } = await post(
      { grant_type: 'authorization_code', code, redirect_uri, code_verifier: 'v'.repeat(43) },
      { authorization: basic('old', 's%:+ &/=~') },
    )
    expect([status, body['error']]).toEqual([400, 'invalid_grant'])
  })

  const REFUSED: [name: string, form: Record<string, string> | string, error: string][] = [
    [
      'no code',
      { grant_type: 'authorization_code', redirect_uri: 'http://127.0.0.1:8080/' },
      'invalid_request',
    ],
    [
      'a code that never was',
      {
        grant_type: 'authorization_code',
        redirect_uri: 'http://127.0.0.1:8080/',
        code: 'nope',
        code_verifier: 'v'.repeat(43),
      },
      'invalid_grant',
    ],
    ['no grant type', { code: 'x' }, 'invalid_request'],
    [
      'password grant',
      { grant_type: 'password', username: 'testuser', password: 'password' },
      'unsupported_grant_type',
    ],
    ['client credentials', { grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [
      'refresh token',
      { grant_type: 'refresh_token', refresh_token: 'x' },
      'unsupported_grant_type',
    ],
    ['grant type named like a property', { grant_type: '__proto__' }, 'unsupported_grant_type'],
    [
      'code sent twice',
      'grant_type=authorization_code&code=a&code=b&redirect_uri=x',
      'invalid_request',
    ],
  ]
  it.each(REFUSED)('%s: 400', async (_name, form, error) => {
    const { status, headers, body } = await post(form, {
      authorization: basic('client', 'secret'),
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect([status, body['error']]).toEqual([400, error])
    expect(headers.get('cache-control')).toBe('no-store')
  })

  it('A30 a body beyond the limit and a body of another type are refused', async () => {
    const large = await fetch(`${on.chain.url}/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ code: 'x'.repeat(1_000_000) }),
    })
    expect(large.status).toBeGreaterThanOrEqual(400)
    expect(large.status).toBeLessThan(500)
    const json = await post('{"grant_type":"authorization_code"}', {
      'content-type': 'application/json',
      authorization: basic('client', 'secret'),
    })
    expect(json.status).toBe(400)
  })
})

describe('two adapters that share nothing but their code', () => {
  it('A18 a code and a token of one mean nothing to the other', async () => {
    const [one, other] = await Promise.all([startChain(), startChain()])
    try {
      const { code, verifier } = await issueCode(one)
      expect((await other.app.redeem(code, { verifier })).body['error']).toBe('invalid_grant')
      const { body } = await one.app.redeem(code, { verifier })
      expect((await other.app.userinfo(body.access_token)).status).toBe(401)
    } finally {
      await Promise.all([one.close(), other.close()])
    }
  })
})

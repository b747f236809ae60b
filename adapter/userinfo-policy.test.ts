// Userinfo fails after a good ID token, through the chain: the policy of the upstream says whether that is a login.
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { claimsOf } from './test-support/app.ts'
import { useChain } from './test-support/use-chain.ts'
import { startEvilIdp, type EvilIdp } from './upstream/test-support/evil-idp.ts'

let idp: EvilIdp
const on = useChain(async () => {
  idp = await startEvilIdp()
  const claims = { contact: 'email', preferred_username: 'preferred_username' }
  const circuit = { failures: 1000 }
  return {
    upstreams: { required: idp.issuer, optional: idp.issuer },
    config: {
      upstreams: {
        required: { claims, userinfo: 'always', circuit },
        optional: { claims, userinfo: 'always', userinfo_required: false, circuit },
      },
    },
  }
})
afterAll(() => idp.close())
afterEach(() => void (idp.behaviour = {}))

const answers: [name: string, status: number, body: string][] = [
  ['503', 503, 'down'],
  ['401', 401, '{}'],
  ['200 and no JSON', 200, '<html>'],
]

function userinfoSays(status: number, body: string): void {
  idp.behaviour = {
    claims: (claims) => ({ ...claims, preferred_username: 'grace' }),
    answer: {
      '/userinfo': (_request, response) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(body),
    },
  }
}

describe.each(answers)('F13 userinfo answers %s', (_name, status, body) => {
  it('required: a page with a way on, and no code', async () => {
    userinfoSays(status, body)
    const browser = on.chain.newBrowser()
    const page = await browser.open(on.chain.app.request({ upstream: 'required' }).url)
    expect(page.status).toBe(502)
    expect(page.url.origin).toBe(on.chain.url)
    expect(page.body).toContain('Try again')
    const silent = await browser.open(on.chain.app.request({ prompt: 'none' }).url)
    expect(silent.url.searchParams.get('error')).toBe('login_required')
  })

  it('optional: a login with the claims of the ID token, and none of userinfo', async () => {
    userinfoSays(status, body)
    const request = on.chain.app.request({ upstream: 'optional' })
    const visit = await on.chain.newBrowser().open(request.url)
    const { body: tokens } = await on.chain.app.finish(visit, request)
    const claims = claimsOf(tokens.access_token)
    expect(claims).toMatchObject({ sub: 'optional:testuser', preferred_username: 'grace' })
    expect(claims).not.toHaveProperty('contact')
  })
})

it('F13 both with a userinfo that works: its claims are in the token', async () => {
  for (const upstream of ['required', 'optional']) {
    idp.behaviour = { userinfo: (claims) => ({ ...claims, email: 'grace@example.org' }) }
    const request = on.chain.app.request({ upstream })
    const visit = await on.chain.newBrowser().open(request.url)
    const { body } = await on.chain.app.finish(visit, request)
    expect(claimsOf(body.access_token)['contact']).toBe('grace@example.org')
  }
})

import { describe, expect, it } from 'vitest'
import {
  authorizationRequest,
  claimsOf,
  codeOf,
  createTestBrowser,
  redeem,
  signIn,
} from '../../test-support/test-browser.ts'
import { signerOf } from '../../test-support/signer-of.ts'
import { misbehavingUsers } from '../../people/seed-users.ts'
import { refusedAt, tokensOf, useControl } from '../../test-support/use-control.ts'
import { passwordAcr, secondFactorAcr } from './authentication.ts'

const on = useControl()

const errorFor = async (username: string) =>
  (await refusedAt(on.server.issuer, username)).searchParams.get('error')

async function redeemed(username: string) {
  const request = authorizationRequest(on.server.issuer)
  const page = await signIn(createTestBrowser(on.server.issuer), request, username)
  return redeem(on.server.issuer, codeOf(page), request.verifier)
}

/** What happens each time somebody signs in by this name, without any switch. */
const proofs: Record<string, () => Promise<void>> = {
  deny: async () => expect(await errorFor('deny')).toBe('access_denied'),
  unavailable: async () => expect(await errorFor('unavailable')).toBe('temporarily_unavailable'),
  async disabled() {
    const browser = createTestBrowser(on.server.issuer)
    const page = await signIn(browser, authorizationRequest(on.server.issuer), 'disabled')
    expect(page.body).toContain('This account is disabled')
  },
  async 'weak-acr'() {
    const asked = { acr_values: secondFactorAcr }
    const { id_token: token } = await tokensOf(on.server.issuer, 'weak-acr', asked)
    expect(claimsOf(token)['acr']).toBe(passwordAcr)
  },
  async 'bad-signature'() {
    const signerFor = async (username: string) =>
      signerOf(on.server.issuer, (await redeemed(username)).body.id_token)
    expect(await signerFor('bad-signature')).toBeUndefined()
    expect(await signerFor('ada')).toBeDefined()
  },
  async 'token-down'() {
    await expect(redeemed('token-down')).rejects.toThrow('JSON')
    const [last] = (await on.control.requests({ endpoint: 'token' })).slice(-1)
    expect(last?.status).toBe(503)
  },
}

describe('a login name that misbehaves without any switch', () => {
  it.each(misbehavingUsers.map(({ username }) => username))('%s, each time', async (username) => {
    await proofs[username]?.()
    await proofs[username]?.()
    expect.hasAssertions()
  })

  it('can be made right by describing the person', async () => {
    await on.control.putPerson('deny')
    expect(await errorFor('deny')).toBeNull()
    await on.control.reset()
    expect(await errorFor('deny')).toBe('access_denied')
  })
})

// Both ways to sign in end in the same: the browser chain, and the identity service with a token exchange.
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { describe, expect, it } from 'vitest'
import { gatewaySettings } from '../../adapter/test-support/gateway-settings.ts'
import { useChain } from '../../adapter/test-support/use-chain.ts'
import { createLog } from '../../service/log.ts'
import { createForward } from '../identity/forward.ts'
import { createIdentityService } from '../identity/identity-client.ts'
import { createTokenExchange } from './token-exchange.ts'

const on = useChain({ config: gatewaySettings('http://127.0.0.1:8080') })

async function byChain(username: string): Promise<string> {
  const { chain } = on
  const asked = chain.app.request()
  const visit = await chain.signIn(chain.newBrowser(), asked.url, username)
  return (await chain.app.finish(visit, asked)).body.access_token
}

async function byIdentityService(email: string): Promise<string> {
  const log = createLog({ destination: { write: () => undefined } })
  const identity = createIdentityService(
    createForward({ identityUrl: on.chain.upstreamIssuer, log }),
  )
  const login = await identity.login(email, 'password', '127.0.0.1')
  const branch =
    login.kind === 'branch'
      ? login
      : await identity.selectBranch(login.accountAccessToken, login.branches[0]?.id ?? '')
  const { issuer } = on.chain
  const client = { clientId: 'client', clientSecret: 'secret' }
  const { token } = await createTokenExchange({ issuer, ...client, now: Date.now }).exchange(
    branch.accessToken,
  )
  return token
}

/** Of each token by itself. */
const OWN = ['iat', 'exp', 'jti', 'auth_time']

const lasting = (token: string) =>
  Object.fromEntries(Object.entries(decodeJwt(token)).filter(([name]) => !OWN.includes(name)))

describe('both ways to sign in', () => {
  it.each([
    ['testuser', 'single@example.test'],
    ['multi', 'multi@example.test'],
  ])('end for %s and %s in the same claims, header and lifetime', async (username, email) => {
    const [chain, exchanged] = [await byChain(username), await byIdentityService(email)]
    expect(lasting(exchanged)).toEqual(lasting(chain))
    expect(lasting(chain)).toMatchObject({
      iss: on.chain.issuer,
      aud: 'client',
      client_id: 'client',
      preferred_username: username,
      authorities: expect.arrayContaining(['ROLE_USER']),
      scope: 'openid profile read',
      acr: 'urn:test:password',
      amr: ['pwd'],
    })
    expect(Object.keys(decodeJwt(exchanged)).toSorted()).toEqual(
      Object.keys(decodeJwt(chain)).toSorted(),
    )
    expect(decodeProtectedHeader(exchanged)).toEqual(decodeProtectedHeader(chain))
    const lifetime = (token: string) => Number(decodeJwt(token).exp) - Number(decodeJwt(token).iat)
    expect(lifetime(exchanged)).toBe(lifetime(chain))
  })

  it('open the same userinfo', async () => {
    const [chain, exchanged] = [
      await byChain('testuser'),
      await byIdentityService('single@example.test'),
    ]
    const said = async (token: string) => (await on.chain.app.userinfo(token)).json()
    expect(await said(exchanged)).toEqual(await said(chain))
  })
})

// What the conformance suite asks of client assertions (C35, C37), by our own requests.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { post } from './provider/endpoints/test-support/token-calls.ts'
import { useChain } from './test-support/use-chain.ts'

const TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
const key = { ...(await exportJWK(publicKey)), kid: 'first', alg: 'ES256' }
const machine = {
  grant_types: ['client_credentials'],
  scope: 'openid jobs',
  jwks: { keys: [key] },
}
const on = useChain({ config: { clients: { machine } } })
const seconds = () => Math.floor(Date.now() / 1000)

async function outcome(changes: object = {}): Promise<unknown> {
  const usual = { iss: 'machine', sub: 'machine', aud: on.chain.issuer, iat: seconds() }
  const claims = { ...usual, jti: crypto.randomUUID(), exp: seconds() + 60, ...changes }
  const client_assertion = await new SignJWT(claims)
    .setProtectedHeader({ alg: 'ES256', kid: 'first' })
    .sign(privateKey)
  return outcomeOf({ client_assertion, client_assertion_type: TYPE })
}

async function outcomeOf(proof: Record<string, string>): Promise<unknown> {
  const form = { grant_type: 'client_credentials', client_id: 'machine', ...proof }
  const { status, body } = await post(on.chain, '/oauth2/token', form, null)
  return body['error'] === undefined ? status : [status, body['error']]
}

describe('client assertions', () => {
  it('C35 a good one: 200', async () => expect(await outcome()).toBe(200))

  it.each([
    ['without sub', () => ({ sub: undefined })],
    ['with a wrong aud', () => ({ aud: 'https://other.test' })],
    ['without aud', () => ({ aud: undefined })],
    ['five minutes past its exp', () => ({ exp: seconds() - 300, iat: seconds() - 360 })],
  ] as [string, () => object][])('C35 %s: invalid_client', async (_name, changes) => {
    expect(await outcome(changes())).toEqual([401, 'invalid_client'])
  })

  it('C35 missing: invalid_client', async () => {
    expect(await outcomeOf({})).toEqual([401, 'invalid_client'])
    expect(await outcomeOf({ client_assertion_type: TYPE })).not.toBe(200)
  })

  it.each(['iat', 'nbf'])(
    'C37 %s 8 s ahead: accepted; more than 60 s: invalid_client',
    async (name) => {
      expect(await outcome({ [name]: seconds() + 8 })).toBe(200)
      expect(await outcome({ [name]: seconds() + 70 })).toEqual([401, 'invalid_client'])
    },
  )
})

// Access tokens signed by another algorithm than all else.
import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ConfigError } from '../../errors.ts'
import { headerOf } from '../../test-support/app.ts'
import { startChain, type Setting } from '../../test-support/chain.ts'
import { useChain } from '../../test-support/use-chain.ts'
import { generateSigningKeys } from '../keys/signing-keys.ts'
import { login } from './test-support/token-calls.ts'

let folder = ''
async function settings(alg: string): Promise<{ config: Setting }> {
  folder ||= await mkdtemp(join(tmpdir(), 'auth-adapter-keys-'))
  const file = join(folder, 'keys.json')
  const [one, other] = [await generateSigningKeys('ES256'), await generateSigningKeys('EdDSA')]
  writeFileSync(file, JSON.stringify({ keys: [...one.keys, ...other.keys] }))
  const keys = { file, alg: 'ES256' }
  return { config: { keys, clients: { client: { access_token: { alg } } } } }
}
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('access_token.alg', () => {
  const on = useChain(() => settings('EdDSA'))
  let tokens: Awaited<ReturnType<typeof login>>
  beforeAll(async () => {
    tokens = await login(on.chain)
  })

  it('is that of its signature alone; it verifies by the published keys, and at userinfo', async () => {
    expect(headerOf(tokens.access_token)['alg']).toBe('EdDSA')
    expect(headerOf(tokens.id_token)['alg']).toBe('ES256')
    const jwks = createRemoteJWKSet(new URL(`${on.chain.url}/oauth2/jwks`))
    await expect(jwtVerify(tokens.access_token, jwks, { audience: 'client' })).resolves.toBeTruthy()
    expect((await on.chain.app.userinfo(tokens.access_token)).status).toBe(200)
  })
})

it('without a key for it nothing starts, and the setting is named', async () => {
  const error: unknown = await startChain(await settings('PS256')).catch((cause: unknown) => cause)
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).faults[0]?.path).toBe('clients.client.access_token.alg')
})

// For tests: whether a token is signed by a key that its issuer publishes.
import { createPublicKey, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { ownConnection } from './test-browser.ts'

export type PublishedKey = JsonWebKey & { kid: string }

export async function publishedKeys(issuer: string): Promise<PublishedKey[]> {
  const response = await fetch(`${issuer}/oauth2/jwks`, { headers: ownConnection })
  return ((await response.json()) as { keys: PublishedKey[] }).keys
}

/** The kid of the published key that has signed the token. */
export async function signerOf(issuer: string, token = ''): Promise<string | undefined> {
  const [header, claims, signature = ''] = token.split('.')
  const input = Buffer.from(`${header}.${claims}`)
  const signer = (await publishedKeys(issuer)).find((jwk) => {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return verify('sha256', input, key, Buffer.from(signature, 'base64url'))
  })
  return signer?.kid
}

// DPoP proofs as apps make them, good and bad. Test code only.
import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose'

export interface ProofKey {
  alg: string
  privateKey: Parameters<SignJWT['sign']>[0]
  jwk: JWK
  jkt: string
}

export async function proofKey(alg = 'ES256'): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  return { alg, privateKey, jwk, jkt: await calculateJwkThumbprint(jwk) }
}

export const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url')

/** Claims and header given as undefined are left out. */
export async function proofOf(
  { alg, privateKey, jwk }: ProofKey,
  claims: { htm: string; htu: string } & Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  return new SignJWT({ jti: randomUUID(), iat, ...claims })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
    .sign(privateKey)
}

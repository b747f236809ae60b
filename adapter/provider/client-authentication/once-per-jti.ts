// A client assertion or DPoP proof is good once, on all instances together. What makes it so is the store, which inserts
// one of many; here oidc-provider is told about those that lost.
import { errors, type Provider } from 'oidc-provider'
import { PROOF_WINDOW } from '../dpop/dpop-settings.ts'

interface ReplayDetection {
  unique(issuer: string, jti: string, exp: number): Promise<boolean>
}

/** Looks into oidc-provider's model: to be read again at each upgrade. */
export function acceptOncePerJti(provider: Provider): void {
  const { ReplayDetection } = provider as unknown as { ReplayDetection: ReplayDetection }
  const unique = ReplayDetection.unique.bind(ReplayDetection)
  ReplayDetection.unique = async (issuer, jti, exp) => {
    try {
      // A proof may be dated ahead by as much as oidc-provider remembers it, and would then be good once more.
      // It puts the two together without a border: client "a" could use up what client "ab" will say.
      return await unique(`${issuer.length}:${issuer}`, jti, exp + PROOF_WINDOW)
    } catch (error) {
      // Looked for at the same time, and saved by another: it was used before all the same.
      if (error instanceof errors.InvalidGrant) return false
      throw error
    }
  }
}

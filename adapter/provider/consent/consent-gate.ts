// Whether an app gets what it asks for without a question: one of our own always, somebody else's where the person agreed
// before. How the question is put belongs to interaction/consent/.
import type { KoaContextWithOIDC } from 'oidc-provider'
import { askedConsent, isCovered } from '../../claims/consent/asked-consent.ts'
import { mintedClaims } from '../../claims/scopes.ts'
import type { Config } from '../../config/schema.ts'
import type { Consents } from '../../storage/consents/consents.ts'

export type ConsentGate = (ctx: KoaContextWithOIDC) => Promise<boolean>

export function createConsentGate(
  config: Pick<Config, 'clients' | 'upstreams'>,
  consents: Pick<Consents, 'find'>,
): ConsentGate {
  const minted = mintedClaims(config)
  return async ({ oidc }) => {
    const clientId = oidc.client?.clientId ?? ''
    const client = config.clients[clientId]
    if (!client?.third_party) return true
    const accountId = oidc.account?.accountId ?? ''
    const given = await consents.find({ clientId, accountId })
    return isCovered(askedConsent({ ...oidc.params }, { ...client, minted }), given)
  }
}

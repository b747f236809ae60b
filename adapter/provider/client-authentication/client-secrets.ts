// Judges the secrets of clients: by their SHA-256 alone, in a time that does not tell how much of one is right, whether a
// client has one secret or two, or whether there is such a client.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AdapterFactory, Provider } from 'oidc-provider'
import { hasSecret } from '../../config/client-schema/is-confidential.ts'
import type { ClientConfig } from '../../config/schema.ts'

/** How many are good at a time. */
const SECRETS = 2

type Clients = Readonly<Record<string, Pick<ClientConfig, 'client_secret' | 'client_secrets'>>>

interface Candidate {
  digest: Buffer
  /** Epoch milliseconds. */
  expiresAt: number
}

export interface SecretJudge {
  /** Never throws; false for a client that is not there. */
  matches(clientId: string, secret: string): boolean
}

const digestOf = (secret: string) => createHash('sha256').update(secret).digest()

export function createSecretJudge(clients: Clients, now: () => number): SecretJudge {
  const known = new Map(Object.entries(clients).map(([id, client]) => [id, candidates(client)]))
  const nobodys = candidates({})
  return {
    matches(clientId, secret) {
      const presented = digestOf(secret)
      const time = now()
      const results = (known.get(clientId) ?? nobodys).map(
        ({ digest, expiresAt }) => timingSafeEqual(digest, presented) && expiresAt > time,
      )
      return results.includes(true)
    },
  }
}

/** Always as many: the missing ones are random, and match nothing. */
function candidates({ client_secret: plain, client_secrets: hashed = [] }: Clients[string]) {
  const given: Candidate[] = [
    ...(plain === undefined ? [] : [{ digest: digestOf(plain), expiresAt: Infinity }]),
    ...hashed.map(({ sha256, expires }) => ({
      digest: Buffer.from(sha256, sha256.length === 64 ? 'hex' : 'base64url'),
      expiresAt: expires === undefined ? Infinity : Date.parse(expires),
    })),
  ]
  const missing = Array.from({ length: SECRETS - given.length }, () => ({
    digest: randomBytes(32),
    expiresAt: 0,
  }))
  return [...given, ...missing]
}

/**
 * What oidc-provider is told in place of each secret. It wants one where a client has some, compares it (not here), and
 * would derive keys from it: from this one nobody can.
 */
const PLACEHOLDER = randomBytes(32).toString('base64url')

export function secretMetadata(client: Clients[string]): { client_secret?: string } {
  return hasSecret(client) ? { client_secret: PLACEHOLDER } : {}
}

/**
 * All clients stand in the configuration: none is looked for in the store. Nothing that got in there becomes one, and one
 * that is not there takes no longer to be refused.
 */
export function withoutStoredClients(factory: AdapterFactory): AdapterFactory {
  return (name) => {
    const adapter = factory(name)
    return name === 'Client' ? { ...adapter, find: async () => undefined } : adapter
  }
}

interface ClientModel {
  prototype: { compareClientSecret: (this: { clientId: string }, secret: string) => boolean }
  find(id: string): Promise<unknown>
}

/** Looks into oidc-provider's model, which has no setting for it: to be read again at each upgrade. */
export function judgeSecretsByHash(provider: Provider, judge: SecretJudge): void {
  const { Client } = provider as unknown as { Client: ClientModel }
  Client.prototype.compareClientSecret = function compare(secret) {
    return judge.matches(this.clientId, secret)
  }
  const find = Client.find.bind(Client)
  Client.find = async (id) => {
    const client = await find(id)
    // A client that is not there costs what a wrong secret costs (A44).
    if (client === undefined) judge.matches('', PLACEHOLDER)
    return client
  }
}

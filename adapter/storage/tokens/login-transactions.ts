// Login transactions: one record for each upstream leg, found by the `state` we sent, and taken exactly once. It holds
// the nonce and code verifier in clear: without the code, which only the browser brings, neither is of use.
import { hashed } from '../provider/artefact-key.ts'
import type { Driver } from '../driver.ts'

export interface LoginTransaction {
  interactionUid: string
  /** Name of the upstream in the configuration. */
  upstream: string
  nonce: string
  codeVerifier: string
  redirect_uri: string
  flowId: string
  /** Epoch milliseconds. */
  createdAt: number
}

export interface LoginTransactions {
  insert(state: string, transaction: LoginTransaction, ttlSeconds: number): Promise<void>
  /** Exactly one of any number of callers with this state gets it; undefined if unknown, expired or taken. */
  take(state: string): Promise<LoginTransaction | undefined>
}

/** Both reject with StorageError `unavailable`. */
export function createLoginTransactions(driver: Driver): LoginTransactions {
  const keyOf = (state: string) => `LoginTransaction:${hashed(state)}`
  return {
    // `insert` and not `set`, which a unit of work would put off: this way it goes out beside the request's reads.
    insert: async (state, transaction, ttlSeconds) =>
      void (await driver.insert(keyOf(state), transaction, ttlSeconds)),
    take: async (state) => (await driver.take(keyOf(state)))?.value as LoginTransaction | undefined,
  }
}

// Login transactions: one record for each upstream leg, found by the `state` we sent, and taken exactly once. It holds
// the nonce and code verifier in clear: without the code, which only the browser brings, neither is of use.
import { hashed } from './artefact-key.ts'
import type { Driver } from './driver.ts'

export interface LoginTransaction {
  interactionUid: string
  /** Name of the upstream in the configuration. */
  upstream: string
  nonce: string
  codeVerifier: string
  redirect_uri: string
  /** Seconds; as it was sent upstream. */
  max_age?: number
  /** SHA-256 of the cookie that binds the transaction to its browser. */
  bindingHash: string
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
  // A state is 256 bits of chance: there is nothing a plain write could overwrite.
  const keyOf = (state: string) => `LoginTransaction:${hashed(state)}`
  return {
    insert: (state, transaction, ttlSeconds) => driver.set(keyOf(state), transaction, ttlSeconds),
    take: async (state) => (await driver.take(keyOf(state)))?.value as LoginTransaction | undefined,
  }
}

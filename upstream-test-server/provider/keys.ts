// Signing and cookie keys, made on first start and kept in the database: a restart disturbs nobody.
import { generateKeyPair, randomBytes, randomUUID } from 'node:crypto'
import { promisify } from 'node:util'
import type { DatabaseSync } from 'node:sqlite'
import type { JWK } from 'oidc-provider'

export interface ServerKeys {
  jwks: { keys: JWK[] }
  cookieKeys: string[]
  /** Keys the MAC that binds an interaction to its browser. */
  bindingKey: string
}

const generate = promisify(generateKeyPair)

export async function createSigningKey(): Promise<JWK> {
  const { privateKey } = await generate('rsa', { modulusLength: 2048 })
  const jwk = privateKey.export({ format: 'jwk' })
  return { ...jwk, kty: 'RSA', kid: randomUUID(), alg: 'RS256', use: 'sig' } as JWK
}

async function createKeys(): Promise<ServerKeys> {
  const secret = () => randomBytes(32).toString('base64url')
  return {
    jwks: { keys: [await createSigningKey()] },
    cookieKeys: [secret()],
    bindingKey: secret(),
  }
}

function storedKeys(database: DatabaseSync): ServerKeys | undefined {
  const row = database.prepare(`SELECT value FROM keys WHERE name = 'server'`).get()
  return row && (JSON.parse(String(row.value)) as ServerKeys)
}

/** The stored keys; the first of several processes that start at once decides which. */
export async function loadKeys(database: DatabaseSync): Promise<ServerKeys> {
  const stored = storedKeys(database)
  if (stored) return stored
  const created = await createKeys()
  database
    .prepare(`INSERT INTO keys (name, value) VALUES ('server', ?) ON CONFLICT DO NOTHING`)
    .run(JSON.stringify(created))
  return storedKeys(database) ?? created
}

// The authorization codes of an issuer, in a table of their own: whose, for which client, since when. What else oidc-provider
// knows of a code is in `payload`. The value itself is not kept: who reads the file can redeem nothing.
import { createHash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { errors } from 'oidc-provider'
import type { Adapter, AdapterPayload } from 'oidc-provider'

const hashOf = (code: string) => createHash('sha256').update(code).digest('base64url')

function prepareStatements(database: DatabaseSync) {
  return {
    upsert: database.prepare(
      `INSERT INTO codes (code, username, client_id, scope, issued_at, payload, grant_id, expires_at)
       VALUES (?, coalesce((SELECT username FROM users WHERE sub = ?), ''), ?, ?, ?, ?, ?, ?)
       ON CONFLICT (code) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
    ),
    find: database.prepare(
      'SELECT payload, consumed_at FROM codes WHERE code = ? AND expires_at > ?',
    ),
    consume: database.prepare(
      `UPDATE codes SET consumed_at = ?
       WHERE code = ? AND consumed_at IS NULL AND expires_at > ?`,
    ),
    destroy: database.prepare('DELETE FROM codes WHERE code = ?'),
    revoke: database.prepare('DELETE FROM codes WHERE grant_id = ?'),
    collect: database.prepare('DELETE FROM codes WHERE expires_at <= ?'),
  }
}

type Row = Record<string, unknown> | undefined

function payloadFrom(row: Row, jti: string): AdapterPayload | undefined {
  if (!row) return undefined
  const payload = { ...(JSON.parse(String(row['payload'])) as AdapterPayload), jti }
  return row['consumed_at'] === null
    ? payload
    : { ...payload, consumed: Number(row['consumed_at']) }
}

export interface CodeStorage {
  adapter: Adapter
  /** Deletes what has expired. */
  collect(): void
}

/** `now` is epoch milliseconds. */
export function createCodeStorage(database: DatabaseSync, now: () => number): CodeStorage {
  const statements = prepareStatements(database)
  const adapter: Adapter = {
    async upsert(code, payload, expiresIn = 0) {
      const { accountId = '', clientId = '', scope = '', grantId = null } = payload
      const about = [hashOf(code), accountId, clientId, scope, now()] as const
      const json = JSON.stringify({ ...payload, jti: undefined })
      statements.upsert.run(...about, json, grantId, now() + expiresIn * 1000)
    },
    find: async (code) => payloadFrom(statements.find.get(hashOf(code), now()), code),
    findByUid: async () => undefined,
    findByUserCode: async () => undefined,
    // RFC 6749 section 4.1.2: the client MUST NOT use the authorization code more than once.
    // https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2
    async consume(code) {
      const { changes } = statements.consume.run(Math.floor(now() / 1000), hashOf(code), now())
      if (changes === 0) throw new errors.InvalidGrant('AuthorizationCode already consumed')
    },
    destroy: async (code) => void statements.destroy.run(hashOf(code)),
    revokeByGrantId: async (grantId) => void statements.revoke.run(grantId),
  }
  return { adapter, collect: () => void statements.collect.run(now()) }
}

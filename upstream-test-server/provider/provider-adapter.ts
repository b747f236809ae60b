// oidc-provider's storage on SQLite. One caller consumes a code, and nothing expired is returned.
import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as wait } from 'node:timers/promises'
import { errors } from 'oidc-provider'
import type { Adapter, AdapterFactory, AdapterPayload } from 'oidc-provider'
import { createCodeStorage } from './code-storage.ts'

type Row = Record<string, unknown> | undefined

function payloadFrom(row: Row): AdapterPayload | undefined {
  if (!row) return undefined
  const payload = JSON.parse(String(row.payload)) as AdapterPayload
  return row.consumed_at === null ? payload : { ...payload, consumed: Number(row.consumed_at) }
}

function prepareStatements(database: DatabaseSync) {
  return {
    upsert: database.prepare(
      `INSERT INTO artefacts (model, id, payload, uid, grant_id, expires_at)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, uid = excluded.uid,
         grant_id = excluded.grant_id, expires_at = excluded.expires_at`,
    ),
    find: database.prepare(
      'SELECT payload, consumed_at FROM artefacts WHERE model = ? AND id = ? AND expires_at > ?',
    ),
    findByUid: database.prepare(
      `SELECT payload, consumed_at FROM artefacts WHERE uid = ? AND model = ? AND expires_at > ?
       ORDER BY expires_at DESC LIMIT 1`,
    ),
    consume: database.prepare(
      `UPDATE artefacts SET consumed_at = ?
       WHERE model = ? AND id = ? AND consumed_at IS NULL AND expires_at > ?`,
    ),
    destroy: database.prepare('DELETE FROM artefacts WHERE model = ? AND id = ?'),
    revoke: database.prepare('DELETE FROM artefacts WHERE grant_id = ? AND model = ?'),
    collect: database.prepare('DELETE FROM artefacts WHERE expires_at <= ?'),
  }
}

/** The same storage, answering as late as one over a network: races show that otherwise do not. */
export function withLatency(storage: ProviderStorage, milliseconds: number): ProviderStorage {
  const delayed = (adapter: Adapter): Adapter => ({
    upsert: (...args) => wait(milliseconds).then(() => adapter.upsert(...args)),
    find: (id) => wait(milliseconds).then(() => adapter.find(id)),
    findByUid: (uid) => wait(milliseconds).then(() => adapter.findByUid(uid)),
    findByUserCode: (userCode) => wait(milliseconds).then(() => adapter.findByUserCode(userCode)),
    consume: (id) => wait(milliseconds).then(() => adapter.consume(id)),
    destroy: (id) => wait(milliseconds).then(() => adapter.destroy(id)),
    revokeByGrantId: (id) => wait(milliseconds).then(() => adapter.revokeByGrantId(id)),
  })
  return { ...storage, adapterFor: (model) => delayed(storage.adapterFor(model)) }
}

export interface ProviderStorage {
  adapterFor: AdapterFactory
  /** Deletes what has expired. */
  collect(): void
}

/** `now` is epoch milliseconds. */
export function createProviderStorage(database: DatabaseSync, now: () => number): ProviderStorage {
  const statements = prepareStatements(database)
  const seconds = () => Math.floor(now() / 1000)

  const adapterForArtefacts = (model: string): Adapter => ({
    async upsert(id, payload, expiresIn = Number.MAX_SAFE_INTEGER) {
      const { uid = null, grantId = null } = payload
      const expiresAt = Math.min(now() + expiresIn * 1000, Number.MAX_SAFE_INTEGER)
      statements.upsert.run(model, id, JSON.stringify(payload), uid, grantId, expiresAt)
    },
    find: async (id) => payloadFrom(statements.find.get(model, id, now())),
    findByUid: async (uid) => payloadFrom(statements.findByUid.get(uid, model, now())),
    findByUserCode: async () => undefined,
    // RFC 6749 section 4.1.2: the client MUST NOT use the authorization code more than once.
    // https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2
    async consume(id) {
      const { changes } = statements.consume.run(seconds(), model, id, now())
      if (changes === 0) throw new errors.InvalidGrant(`${model} already consumed`)
    },
    destroy: async (id) => void statements.destroy.run(model, id),
    revokeByGrantId: async (grantId) => void statements.revoke.run(grantId, model),
  })

  const codes = createCodeStorage(database, now)
  return {
    adapterFor: (model) =>
      model === 'AuthorizationCode' ? codes.adapter : adapterForArtefacts(model),
    collect() {
      codes.collect()
      statements.collect.run(now())
    },
  }
}

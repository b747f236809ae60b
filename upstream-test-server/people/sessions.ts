// Who is signed in at one issuer, and the end of that: what oidc-provider has stored for a person is deleted.
import type { DatabaseSync } from 'node:sqlite'

export interface SignedIn {
  sub: string
  /** By client. */
  sids: Record<string, string>
}

export interface Sessions {
  list(): SignedIn[]
  /** Grants with their codes and tokens; the person stays signed in. */
  revokeGrants(sub: string): void
  /** Everything: the person has to sign in again, and no token works. */
  end(sub: string): void
}

interface StoredSession {
  accountId?: string
  authorizations?: Record<string, { sid?: string }>
}

function signedInFrom(row: Record<string, unknown>): SignedIn[] {
  const { accountId, authorizations = {} } = JSON.parse(String(row['payload'])) as StoredSession
  if (accountId === undefined) return []
  const sids = Object.entries(authorizations).flatMap(([client, { sid }]) =>
    sid === undefined ? [] : [[client, sid]],
  )
  return [{ sub: accountId, sids: Object.fromEntries(sids) as Record<string, string> }]
}

/** `now` is epoch milliseconds, of the issuer's clock. */
export function createSessions(database: DatabaseSync, now: () => number): Sessions {
  const sessions = database.prepare(
    `SELECT payload FROM artefacts WHERE model = 'Session' AND expires_at > ?`,
  )
  const ofPerson = `WHERE json_extract(payload, '$.accountId') = ?`
  const artefacts = `DELETE FROM artefacts ${ofPerson}`
  const grants = database.prepare(`${artefacts} AND model NOT IN ('Session', 'Interaction')`)
  const everything = database.prepare(artefacts)
  const codes = database.prepare(`DELETE FROM codes ${ofPerson}`)
  return {
    list: () => sessions.all(now()).flatMap(signedInFrom),
    revokeGrants(sub) {
      codes.run(sub)
      grants.run(sub)
    },
    end(sub) {
      codes.run(sub)
      everything.run(sub)
    },
  }
}

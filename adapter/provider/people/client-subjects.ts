// The `sub` that each client sees. With `subject: pairwise` it is a pseudonym for the client's sector, and nothing else in
// its tokens tells that two clients speak of one person. Inside, a person is the account id, always.
import { createHmac, hkdfSync } from 'node:crypto'
import type { ClientConfig } from '../../config/schema.ts'
import { createSealing } from '../../storage/sealing/sealing.ts'

export interface ClientSubjects {
  isPairwise(clientId: string | undefined): boolean
  /** The account id itself, or a pseudonym of 43 characters. */
  subjectFor(clientId: string | undefined, accountId: string): string
  /** The session as the client's tokens name it; `context` is what it can be opened with. */
  hideSession(clientId: string | undefined, sessionUid: string, context: string): string
  /** Undefined when it was not made by `hideSession` with this context. */
  openSession(clientId: string | undefined, hidden: string, context: string): string | undefined
}

export interface ClientSubjectsOptions {
  clients: Readonly<Record<string, ClientConfig>>
  /** 32 bytes; the pseudonyms are gone when it is. */
  subjectKey: Uint8Array
}

export function createClientSubjects({
  clients,
  subjectKey,
}: ClientSubjectsOptions): ClientSubjects {
  const derived = (use: string) => Buffer.from(hkdfSync('sha256', subjectKey, '', use, 32))
  const pseudonymKey = derived('pairwise subjects')
  const sessions = createSealing([derived('pairwise sessions')])
  const pairwise = new Map(
    Object.entries(clients).flatMap(([id, client]) =>
      client.subject === 'pairwise' ? [[id, sectorOf(client)] as const] : [],
    ),
  )
  const sectorFor = (clientId: string | undefined) => pairwise.get(clientId ?? '')
  return {
    isPairwise: (clientId) => sectorFor(clientId) !== undefined,
    subjectFor(clientId, accountId) {
      const sector = sectorFor(clientId)
      return sector === undefined ? accountId : pseudonym(pseudonymKey, sector, accountId)
    },
    hideSession: (clientId, sessionUid, context) =>
      sectorFor(clientId) === undefined
        ? sessionUid
        : sessions.seal(sessionUid, context).replaceAll('.', '~'),
    openSession(clientId, hidden, context) {
      if (sectorFor(clientId) === undefined) return hidden
      try {
        return sessions.unseal(hidden.replaceAll('~', '.'), context)
      } catch {
        return undefined
      }
    },
  }
}

/** https://openid.net/specs/openid-connect-core-1_0.html#PairwiseAlg: the host of its redirect URIs, where nothing else is set */
export function sectorOf({ sector, redirect_uris: [first = ''] }: ClientConfig): string {
  return sector ?? new URL(first).hostname
}

/** The lengths keep two pairs from being written alike. */
function pseudonym(key: Uint8Array, sector: string, accountId: string): string {
  return createHmac('sha256', key)
    .update(`${sector.length}:${sector}${accountId.length}:${accountId}`)
    .digest('base64url')
}

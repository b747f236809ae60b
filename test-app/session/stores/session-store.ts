// Chooses where sessions live, and seals them: who reads the store learns no token.
import path from 'node:path'
import type { Store } from 'express-session'
import type { Log } from '../../../service/log.ts'
import { openRedisSessions } from './redis-session-store.ts'
import { createRedisRecordTexts } from '../../store/redis-record-texts.ts'
import { createSealedRecords } from '../../store/sealed-records.ts'
import type { SealedRecords } from '../../store/sealed-records.ts'
import { openSqliteRecordTexts } from '../../store/sqlite-record-texts.ts'
import type { Seal } from '../seal.ts'
import { openSqliteSessions } from './sqlite-session-store.ts'

export interface SessionSerializer {
  stringify(value: unknown): string
  /** null for what was not written by this app with its present secret. */
  parse(text: string): unknown
}

export interface SessionStoreOptions {
  readonly redisUrl: string | undefined
  readonly dataFolder: string
  readonly cookieName: string
  readonly seal: Seal
  readonly log: Log
  readonly now: () => number
}

export interface SessionStore {
  readonly store: Store
  /** What else is kept where the sessions are. */
  readonly records: SealedRecords
  close(): Promise<void> | void
}

export function openSessionStore(options: SessionStoreOptions): SessionStore {
  const { redisUrl, cookieName: app, seal, log, now } = options
  const serializer = sealedJson(seal, `session ${app}`)
  if (redisUrl) {
    const { commands, ...sessions } = openRedisSessions({ url: redisUrl, app, serializer, log })
    const texts = createRedisRecordTexts({ redis: commands, app, now })
    return { ...sessions, records: createSealedRecords({ texts, seal, app, now }) }
  }
  const file = path.join(options.dataFolder, 'test-app.sqlite')
  const sessions = openSqliteSessions({ file, app, serializer, now })
  const { texts, close } = openSqliteRecordTexts({ file, app, now })
  return {
    store: sessions.store,
    records: createSealedRecords({ texts, seal, app, now }),
    close() {
      sessions.close()
      close()
    },
  }
}

function sealedJson(seal: Seal, context: string): SessionSerializer {
  return {
    stringify: (value) => seal.seal(Buffer.from(JSON.stringify(value)), context),
    parse(text) {
      const plain = seal.open(text, context)
      return plain ? (JSON.parse(plain.toString()) as unknown) : null
    },
  }
}

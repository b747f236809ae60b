// Chooses where sessions live, and seals them: who reads the store learns no token.
import path from 'node:path'
import type { Store } from 'express-session'
import type { Log } from '../../service/log.ts'
import { openRedisSessions } from './redis-session-store.ts'
import type { Seal } from './seal.ts'
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
  close(): Promise<void> | void
}

export function openSessionStore(options: SessionStoreOptions): SessionStore {
  const { redisUrl, cookieName: app, log, now } = options
  const serializer = sealedJson(options.seal, `session ${app}`)
  if (redisUrl) return openRedisSessions({ url: redisUrl, app, serializer, log })
  const file = path.join(options.dataFolder, 'test-app.sqlite')
  return openSqliteSessions({ file, app, serializer, now })
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

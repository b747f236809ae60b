// The parts of this room, put together.
import path from 'node:path'
import type { Log } from '../../service/log.ts'
import type { CookieSettings } from '../browser/cookies.ts'
import type { IsTrusted } from '../../service/trusted-proxies.ts'
import { createEmailHash } from './hashes.ts'
import { noteLanding } from './note-landing.ts'
import { createTrail } from './trail/trail.ts'
import { openTrailStore } from './trail/trail-store.ts'
import { rememberVisitor } from './visitor.ts'

export interface AuditOptions {
  readonly dataFolder: string
  readonly cookieName: string
  readonly cookies: CookieSettings
  /** A key for one purpose, of this app's secret. */
  readonly keyFor: (purpose: string) => Buffer
  readonly log: Log
  readonly trusted: IsTrusted
  readonly now: () => number
}

/** The file is opened at the first event; one that can not be used is said in the log then. */
export function openAudit(options: AuditOptions) {
  const { dataFolder, cookieName, keyFor, log, now } = options
  const file = path.join(dataFolder, 'test-app.sqlite')
  const store = openTrailStore({ file, app: cookieName, now })
  const hashEmail = createEmailHash(keyFor('audit e-mail'))
  const trail = createTrail({ log, store, hashEmail, now })
  return {
    trail,
    noteLanding: noteLanding({ trail }),
    trailStore: store,
    rememberVisitor: rememberVisitor(options),
  }
}

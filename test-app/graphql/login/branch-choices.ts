// Logins that wait for the choice of a branch. What the identity service gave is kept beside the sessions; the browser
// has a random value that finds it. Of a choice that was made it is remembered that it was, so that a replay is told so.
import { randomBytes } from 'node:crypto'
import type { Request, Response } from 'express'
import { cookiesOf } from '../../browser/cookies.ts'
import type { CookieSettings } from '../../browser/cookies.ts'
import type { AccountLogin } from '../../identity/identity-service.ts'
import type { SealedRecords } from '../../store/sealed-records.ts'

const OPEN_MS = 10 * 60 * 1000
const VALUE_BYTES = 32

export interface OpenChoice {
  readonly login: AccountLogin
  /** Of the audit trail. */
  readonly flowId: string
  /** What was typed, for the audit trail, which keeps a hash of it. */
  readonly email: string
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly expiresAt: number
}

/** All reject with SessionStoreError. */
export interface BranchChoices {
  open(res: Response, waiting: Omit<OpenChoice, 'expiresAt'>): Promise<OpenChoice>
  /** What this browser has to choose; `'made'` when it has chosen. */
  find(req: Request): Promise<OpenChoice | 'made' | undefined>
  /** The choice was made: who sends the cookie again is told so, until it would have expired. */
  settle(req: Request, res: Response, choice: OpenChoice): Promise<void>
  /** Forgets the choice of this browser, and answers with what it was. */
  drop(req: Request, res: Response): Promise<OpenChoice | undefined>
}

export interface BranchChoiceOptions {
  readonly records: SealedRecords
  readonly cookies: CookieSettings
  readonly now: () => number
}

interface Kept {
  /** Absent when the choice was made. */
  readonly open?: OpenChoice
}

export function createBranchChoices({ records, cookies, now }: BranchChoiceOptions): BranchChoices {
  const name = cookies.named('BRANCH_CHOICE')

  function keyOf(req: Request): string | undefined {
    const value = cookiesOf(req).get(name)
    return value === undefined || value === '' ? undefined : keyFrom(value)
  }

  async function find(key: string): Promise<OpenChoice | 'made' | undefined> {
    const found = await records.find(key)
    return found && ((found.value as Kept).open ?? 'made')
  }

  return {
    async find(req) {
      const key = keyOf(req)
      return key === undefined ? undefined : find(key)
    },
    async open(res, waiting) {
      const value = randomBytes(VALUE_BYTES).toString('base64url')
      const open = { ...waiting, expiresAt: now() + OPEN_MS }
      await records.save(keyFrom(value), { open } satisfies Kept, open.expiresAt)
      cookies.set(res, name, value, OPEN_MS)
      return open
    },
    async settle(req, res, { expiresAt }) {
      const key = keyOf(req)
      cookies.clear(res, name)
      if (key !== undefined) await records.save(key, {} satisfies Kept, expiresAt)
    },
    async drop(req, res) {
      const key = keyOf(req)
      if (key === undefined) return undefined
      const choice = await find(key)
      cookies.clear(res, name)
      if (choice === undefined || choice === 'made') return undefined
      await records.remove(key)
      return choice
    },
  }
}

const keyFrom = (value: string): string => `branch choice ${value}`

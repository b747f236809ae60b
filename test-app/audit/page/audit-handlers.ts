// /audit and /audit.json: who may see which logins.
import type { Request, Response } from 'express'
import type { Html } from '../../pages/layout.ts'
import { whoOf } from '../../pages/person/who.ts'
import type { TrailStore } from '../trail/trail-store.ts'
import { TrailStoreError } from '../trail/trail-store.ts'
import { currentVisitor } from '../visitor.ts'
import { auditPage, trailUnavailablePage } from './audit-page.ts'
import type { AuditPage } from './audit-page.ts'
import { storiesFrom } from './stories.ts'
import type { Story } from './stories.ts'

export const AUDIT_PATH = '/audit'

export interface AuditHandlersOptions {
  readonly trailStore: Pick<TrailStore, 'read'>
  readonly now: () => number
  show(req: Request, res: Response, status: number, title: string, body: Html): Promise<void>
}

const STORIES_A_PAGE = 20
const ADMINISTRATOR = 'ROLE_ADMIN'
const FLOW_ID = /^[\w-]{1,40}$/
const NUMBER = /^[1-9]\d{0,14}$/
const TITLE = 'The story of each login'

export function createAuditHandlers({ trailStore, now, show }: AuditHandlersOptions) {
  /** Undefined: the trail can not be read. */
  function find(req: Request): AuditPage | undefined {
    const viewer = viewerOf(req, now())
    const flowId = parameter(req, 'flow', FLOW_ID)
    const before = parameter(req, 'before', NUMBER)
    const query = { ...viewer, flowId, before: before === undefined ? undefined : Number(before) }
    try {
      const stories = storiesFrom(trailStore.read({ ...query, limit: STORIES_A_PAGE + 1 }))
      return { ...pageOf(stories), sees: viewer.sees, flowId }
    } catch (error) {
      if (error instanceof TrailStoreError) return undefined
      throw error
    }
  }

  return {
    async page(req: Request, res: Response): Promise<void> {
      const found = find(req)
      if (found) return show(req, res, 200, TITLE, auditPage(found))
      res.set('Retry-After', '10')
      await show(req, res, 503, 'The audit trail does not answer', trailUnavailablePage())
    },
    json(req: Request, res: Response): void {
      const found = find(req)
      if (!found) {
        return void res.status(503).set('Retry-After', '10').json({ error: 'trail_unavailable' })
      }
      const { sees, stories, newest, older } = found
      const next = older?.replace(AUDIT_PATH, `${AUDIT_PATH}.json`)
      res.json({ sees, newest, stories: stories.map(storyJson), next })
    },
  }
}

function pageOf(stories: readonly Story[]): Pick<AuditPage, 'stories' | 'newest' | 'older'> {
  const shown = stories.slice(0, STORIES_A_PAGE)
  const isMore = stories.length > shown.length
  const older = isMore ? `${AUDIT_PATH}?before=${shown.at(-1)?.lastId ?? 0}` : undefined
  return { stories: shown, newest: shown[0]?.lastId, older }
}

/** Somebody's own; to an administrator everybody's; and what is nobody's to the browser that it came from. */
function viewerOf(req: Request, now: number) {
  const who = whoOf(req, now)
  const isAll = [who?.claims['authorities']].flat().includes(ADMINISTRATOR)
  const sees = isAll ? 'everything' : who ? 'own' : 'browser'
  const browser = who?.via === 'bearer' ? undefined : currentVisitor()?.browser()
  return { isAll, sees, subject: who?.subject, browser } as const
}

function parameter(req: Request, name: string, shape: RegExp): string | undefined {
  const value = req.query[name]
  return typeof value === 'string' && shape.test(value) ? value : undefined
}

function storyJson({ flowId, outcome, way, subject, events }: Story) {
  return {
    flow_id: flowId,
    outcome,
    way,
    sub: subject,
    events: events.map(({ event, at, afterMs, fields }) => ({
      event,
      at: new Date(at).toISOString(),
      after_ms: afterMs,
      ...fields,
    })),
  }
}

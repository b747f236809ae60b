// `auth-adapter sessions list | revoke`: the running adapter is asked, and what it answers is put in words.
import type { ExplainAnswer, RevokedAnswer, SessionsAnswer } from '../logout/session-routes.ts'
import { alignedRows } from './aligned-rows.ts'
import { askAdapter, type AskOptions } from './ask-adapter.ts'

export interface SessionsOptions extends AskOptions {
  /** Which sessions, as the options of the command say it. */
  selected: readonly (readonly [kind: string, name: string])[]
}

/** 0 done, 1 the adapter could not be asked or refuses, 2 wrong usage or configuration. Without a selection: all. */
export async function listSessions(options: SessionsOptions): Promise<0 | 1 | 2> {
  if (options.selected.length > 1) return wrongUsage()
  const query = new URLSearchParams(Object.fromEntries(options.selected))
  return askAdapter(options, `GET /api/sessions?${query.toString()}`, undefined, (body) =>
    table(body as SessionsAnswer),
  )
}

export interface RevokeOptions extends SessionsOptions {
  /** Also what was agreed to, by the person or for the app. */
  withConsents?: boolean
}

/** As `listSessions`; with exactly one selection. */
export async function revokeSessions(options: RevokeOptions): Promise<0 | 1 | 2> {
  const { selected, withConsents = false } = options
  if (selected.length !== 1) return wrongUsage()
  const kind = selected[0]?.[0]
  if (withConsents && kind !== 'user' && kind !== 'client')
    return wrongUsage('--consents goes with --user or --client')
  const body = { ...Object.fromEntries(selected), ...(withConsents ? { consents: true } : {}) }
  return askAdapter(options, 'POST /api/sessions/revoke', body, (answer) =>
    revoked(answer as RevokedAnswer),
  )
}

/** As `listSessions`; 1 also where no such session ended. */
export function explainLogoutOf(options: AskOptions, sid: string): Promise<0 | 1 | 2> {
  const query = new URLSearchParams({ sid }).toString()
  return askAdapter(options, `GET /api/logout/explain?${query}`, undefined, (body) =>
    explained(body as ExplainAnswer),
  )
}

function wrongUsage(why = 'Say exactly one of --user, --client, --upstream and --all'): 2 {
  process.stderr.write(`${why}.\n`)
  return 2
}

function table({ count, sessions }: SessionsAnswer): string {
  if (count === 0) return 'Nobody is signed in.'
  const rows = sessions.map(({ sub, upstream, clients }) => [sub, upstream, clients.join(' ')])
  const more = count > sessions.length ? `\n… and ${count - sessions.length} more` : ''
  return `${alignedRows([['sub', 'upstream', 'apps'], ...rows])}${more}`
}

function revoked({ sessions, grants, told, consents }: RevokedAnswer): string {
  const offline = grants > 0 ? `, and ${grants} refresh grants that had outlived theirs` : ''
  const agreed = consents === undefined ? '' : ` ${consents} consents taken back.`
  return `${sessions} sessions ended${offline}. ${told} apps are being told.${agreed}`
}

const CAUSES = { person: 'the person', upstream: 'the upstream', operator: 'an operator' } as const

function explained({ ended_at: endedAt, cause, apps, history }: ExplainAnswer): string {
  const rows = apps.map(
    ({ client_id: client, told_by: way, state, attempts, at = '', reason = '' }) => [
      client,
      way,
      state,
      String(attempts),
      at,
      reason,
    ],
  )
  const head = ['app', 'told by', 'state', 'tries', 'last', 'reason']
  return `Ended ${endedAt} by ${CAUSES[cause]}.\n\n${alignedRows([head, ...rows])}${told(history)}`
}

/** Each try; nothing where the store keeps no audit trail. */
function told(history: ExplainAnswer['history']): string {
  if (history.length === 0) return ''
  const rows = history.map(
    ({ time, event, client_id: app = '', attempt, reason, gives_up: last }) => {
      const why = last === true ? `${reason ?? ''}, given up` : (reason ?? '')
      return [time, event, app, attempt === undefined ? '' : `try ${attempt}`, why]
    },
  )
  return `\n\n${alignedRows(rows)}`
}

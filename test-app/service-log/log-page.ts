// GET /log: the newest lines of services, for people who are signed in.
import { html } from 'hono/html'
import type { Request, RequestHandler, Response } from 'express'
import { utc } from '../pages/claim-meanings.ts'
import type { Html } from '../pages/layout.ts'
import type { LogStore, StoredLine } from './log-store.ts'

export interface LogPageOptions {
  readonly newest: LogStore['newest']
  show(req: Request, res: Response, status: number, title: string, body: Html): Promise<void>
}

const LINES = 50

export function createLogPage({ newest, show }: LogPageOptions): RequestHandler {
  return (req, res) => show(req, res, 200, 'What services say', logPage(newest(LINES)))
}

function logPage(lines: readonly StoredLine[]): Html {
  return html`<p class="lead">
      Services send log lines here, each with a token that says who is speaking: one of the adapter,
      or one that the service has signed itself. Passwords, tokens and e-mail addresses are taken
      out.
    </p>
    ${lines.length === 0 ? NOTHING : html`<p>The newest ${LINES} at most, the newest first.</p>`}
    ${lines.map(lineCard)}`
}

const NOTHING = html`<p class="notice" role="status">
  No service has sent anything yet. <code>npm run worker</code> does.
</p>`

function lineCard({ id, receivedAt, service, entry }: StoredLine): Html {
  const { level, event, message, at, fields = {} } = entry
  return html`<article class="card" id="line-${id}" aria-labelledby="of-${id}">
    <h2 id="of-${id}"><code>${event}</code> <small>${level}, ${utc(receivedAt)}</small></h2>
    ${message === undefined ? '' : html`<p>${message}</p>`}
    <p>
      Line ${id} of <code>${service.name}</code>, by a token of
      <code>${service.issuer}</code>${at === undefined ? '' : html`; the service says ${at}`}
    </p>
    ${Object.entries(fields).map(
      ([name, value]) => html`<p><code>${name}</code>: <code>${String(value)}</code></p>`,
    )}
  </article>`
}

// The page with the stories of logins.
import { html } from 'hono/html'
import { utc } from '../../pages/claim-meanings.ts'
import type { Html } from '../../pages/layout.ts'
import type { Outcome } from '../trail/trail-events.ts'
import type { SaidFields } from '../trail/trail-fields.ts'
import type { Story, StoryEvent } from './stories.ts'

export interface AuditPage {
  readonly stories: readonly Story[]
  /** The number of the newest event on the page. */
  readonly newest: number | undefined
  readonly sees: 'everything' | 'own' | 'browser'
  /** Only the story of this login was asked for. */
  readonly flowId: string | undefined
  /** Where older stories are. */
  readonly older: string | undefined
}

const INTRODUCTIONS: Readonly<Record<AuditPage['sees'], string>> = {
  everything:
    'You see the logins of everybody, because your token says that you are an administrator.',
  own: 'You see your own logins, and those that nobody finished in this browser.',
  browser:
    'You are not signed in, so you see what nobody finished in this browser. Sign in to see your own logins.',
}

export function auditPage({ stories, newest, sees, flowId, older }: AuditPage): Html {
  return html`<p class="lead">
      What happened to each login of this app, from the first redirect to the sign-out. No password,
      code, token or e-mail address is kept: where two of them have to be told apart, there is a
      hash.
    </p>
    <p>${INTRODUCTIONS[sees]} Events are kept for thirty days.</p>
    ${newsLine(newest, flowId)} ${stories.length === 0 ? nothing(flowId) : stories.map(storyCard)}
    <p class="actions">
      ${older === undefined ? '' : html`<a class="button quiet" href="${older}">Older logins</a>`}
      ${flowId === undefined ? '' : html`<a class="button quiet" href="/audit">All logins</a>`}
      ${sees === 'browser' ? html`<a class="button" href="/authenticated">Sign in</a>` : ''}
    </p>`
}

/** Filled by static/js/audit.js. */
function newsLine(newest: number | undefined, flowId: string | undefined): Html {
  return html`<p id="audit-news" class="news" data-newest="${newest ?? ''}" hidden>
      <span role="status" data-part="state"></span>
      <a href="/audit${flowId === undefined ? '' : `?flow=${flowId}`}" data-part="show" hidden
        >Show it</a
      >
    </p>
    <script type="module" src="/js/audit.js"></script>`
}

function nothing(flowId: string | undefined): Html {
  const text =
    flowId === undefined
      ? 'There is nothing to show yet.'
      : 'There is no such login, or it is not yours.'
  return html`<p class="notice" role="status">${text}</p>`
}

const OUTCOMES: Readonly<Record<Outcome, readonly [title: string, tone: string]>> = {
  open: ['Not finished', ''],
  signed_in: ['Signed in', 'good'],
  failed: ['Failed', 'bad'],
  signed_out: ['Signed out', ''],
}
const WAYS: Readonly<Record<string, string>> = {
  chain: 'by way of the adapter',
  form: 'with the form of this app',
}

function storyCard({ flowId, outcome, way = '', subject, events }: Story): Html {
  const [title, tone] = OUTCOMES[outcome]
  return html`<article
    class="card story ${tone}"
    id="flow-${flowId}"
    aria-labelledby="of-${flowId}"
  >
    <h2 id="of-${flowId}">${title} ${WAYS[way] ?? ''} <small>${utc(events[0]?.at ?? 0)}</small></h2>
    <p>
      Login <a href="/audit?flow=${flowId}"><code>${flowId}</code></a
      >${subject === undefined ? '' : html`, subject <code>${subject}</code>`}
    </p>
    <ol class="events">
      ${events.map(eventItem)}
    </ol>
  </article>`
}

function eventItem({ event, means, at, afterMs, fields }: StoryEvent): Html {
  return html`<li>
    <p>
      <b>${means}</b>
      <span class="when"
        ><code>${event}</code>
        <time datetime="${new Date(at).toISOString()}">${after(afterMs)}</time></span
      >
    </p>
    ${details(event, fields)}
  </li>`
}

function details(event: string, fields: SaidFields): Html {
  const entries = Object.entries(fields)
  if (entries.length === 0) return html``
  return html`<details>
    <summary>What was noted<span class="unseen"> of ${event}</span></summary>
    <dl class="facts">
      ${entries.map(
        ([name, value]) =>
          html`<div>
            <dt><code>${name}</code></dt>
            <dd>${[value].flat().join(', ')}</dd>
          </div>`,
      )}
    </dl>
  </details>`
}

const UNITS = [
  [24 * 60 * 60 * 1000, 'd'],
  [60 * 60 * 1000, 'h'],
  [60 * 1000, 'min'],
  [1000, 's'],
  [1, 'ms'],
] as const

/** `at once`, `+ 12 ms`, `+ 3 min`: how long after the first redirect. */
export function after(ms: number): string {
  const [size, unit] = UNITS.find(([unitMs]) => ms >= unitMs) ?? [1, 'ms']
  return ms === 0 ? 'at once' : `+ ${Math.floor(ms / size)} ${unit}`
}

export function trailUnavailablePage(): Html {
  return html`<p class="lead">
      The events of this app’s logins can not be read just now. Signing in works as before, and what
      happens meanwhile is in the log.
    </p>
    <p class="actions"><a class="button" href="/audit">Try again</a></p>`
}

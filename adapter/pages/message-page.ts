// The page that tells an end-user how a sign-in stands and what to do next. Which kind fits an error is not decided here.
import { html, safeHref, type Html } from '../../service/html.ts'
import { layout, toneSign } from './layout.ts'
import { MESSAGE_KINDS, type MessageKind, type MessageKindName } from './message-kinds.ts'

export interface PageLink {
  readonly text: string
  /** http(s), or a path; any other link is left out. */
  readonly href: string
}

export interface MessageOptions {
  readonly flowId?: string | undefined
  readonly requestId?: string | undefined
  /** Name of the app the end-user came from. */
  readonly clientName?: string | undefined
  /** Start page of the app: the way back. */
  readonly clientUri?: string | undefined
  readonly upstreamName?: string | undefined
  /** Starts the same sign-in again. */
  readonly retryUrl?: string | undefined
  /** Offers to open the same address again; it holds secrets, so the link does not spell it out. */
  readonly hasReload?: boolean | undefined
  /** Other ways on. */
  readonly links?: readonly PageLink[] | undefined
  /** OAuth error code, shown folded away. */
  readonly error?: string | undefined
  readonly error_description?: string | undefined
  readonly stylesheetHref?: string | undefined
}

/** HTTP status that belongs to the page. */
export const messageStatus = (kind: MessageKindName): number => MESSAGE_KINDS[kind].status

/** An empty reference is the address of the page itself, with its query. */
const SAME_ADDRESS: PageLink = { text: 'Try again', href: '' }

function waysOn(options: MessageOptions): PageLink[] {
  const { retryUrl, hasReload, clientUri, clientName = 'the app', links = [] } = options
  const ways = [
    { text: 'Try again', href: retryUrl ?? '' },
    { text: `Go to ${clientName}`, href: clientUri ?? '' },
    ...links,
  ]
  const known = ways.filter(({ href }) => href !== '' && safeHref(href) !== undefined)
  return hasReload ? [SAME_ADDRESS, ...known] : known
}

const NO_WAY_ON = html`<p class="todo">You can close this tab and open the app again.</p>`

function actions(ways: readonly PageLink[]): Html {
  if (ways.length === 0) return NO_WAY_ON
  const items = ways.map(
    ({ text, href }, index) =>
      html`<li><a class="button${index > 0 ? ' quiet' : ''}" href="${href}">${text}</a></li>`,
  )
  return html`<ul class="actions">
    ${items}
  </ul>`
}

function operatorDetails(kind: MessageKind, options: MessageOptions): Html | undefined {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['Error', options.error],
    ['Description', options.error_description],
    ['What to look at', kind.operator],
    ['Request ID', options.requestId],
  ]
  const known = facts.filter(([, value]) => value)
  if (known.length === 0) return undefined
  const rows = known.map(
    ([name, value]) =>
      html`<dt>${name}</dt>
        <dd>${value}</dd>`,
  )
  return html`<details>
    <summary>For the operator</summary>
    <dl>${rows}</dl>
  </details>`
}

/** The page of one kind as a whole document; every text of `options` is escaped. */
export function messagePage(kind: MessageKindName, options: MessageOptions = {}): string {
  const message: MessageKind = MESSAGE_KINDS[kind]
  const names = {
    app: options.clientName ?? 'the app',
    upstream: options.upstreamName ?? 'the sign-in service',
  }
  const title = message.title(names)
  const body = html`
    ${toneSign(message.tone)}
    <h1>${title}</h1>
    <p>${message.happened(names)}</p>
    <p class="todo">${message.todo(names)}</p>
    ${actions(waysOn(options))} ${operatorDetails(message, options)}
  `
  return layout({ title, body, flowId: options.flowId, stylesheetHref: options.stylesheetHref })
}

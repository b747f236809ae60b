// Asks a person whether an app that is somebody else's gets what it asks for. What that is, is not decided here.
import { html, safeHref } from '../../service/html.ts'
import { layout, toneSign } from './layout.ts'

export interface ConsentAsk {
  readonly text: string
  /** What goes with it, as it is known of the person. */
  readonly details: readonly string[]
}

export interface ConsentPageOptions {
  readonly clientName: string
  readonly clientUri?: string | undefined
  /** Who is signed in. */
  readonly person: string
  readonly asks: readonly ConsentAsk[]
  /** Where the form goes. */
  readonly action: string
  /** Proves that the form is ours. */
  readonly token: string
  readonly flowId?: string | undefined
}

export function consentPage(options: ConsentPageOptions): string {
  const { clientName, clientUri, person, asks, action, token, flowId } = options
  const title = `Do you allow ${clientName} this?`
  const href = safeHref(clientUri)
  const items = asks.map(
    ({ text, details }) =>
      html`<li>
        ${text} ${details.length > 0 ? html`<br /><small>${details.join(' · ')}</small>` : ''}
      </li>`,
  )
  const body = html`
    ${toneSign('info')}
    <h1>${title}</h1>
    <p>
      ${clientName}${href ? html` (<a href="${href}">${new URL(href).host}</a>)` : ''} is not run by
      us. It asks for permission to:
    </p>
    <ul class="asks">
      ${items}
    </ul>
    <p class="todo">
      You are signed in as ${person}. What you allow is remembered; when the app asks for more, you
      are asked again.
    </p>
    <form method="post" action="${action}">
      <input type="hidden" name="token" value="${token}" />
      <div class="actions">
        <button class="button" type="submit" name="decision" value="allow">Allow</button>
        <button class="button quiet" type="submit" name="decision" value="refuse">Refuse</button>
      </div>
    </form>
  `
  return layout({ title, body, flowId })
}

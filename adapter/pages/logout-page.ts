// Asks before signing out, and says when it is done. The form and its protection come from oidc-provider.
import { html, raw, safeHref, type Html } from '../../service/html.ts'
import { layout, toneSign } from './layout.ts'

export interface LogoutPageOptions {
  /** oidc-provider's form with its hidden inputs; put into the page as it is. Its id is `op.logoutForm`. */
  readonly formHtml: string
  /** The app that asked, if it said who it is. */
  readonly clientName?: string | undefined
  /** Where the person signed in: left too in any case, if they tick a box, or not at all. */
  readonly upstream?: { name: string; kind: 'always' | 'ask' | 'stays' } | undefined
  readonly stylesheetHref?: string | undefined
}

const FORM_ID = 'op.logoutForm'

/** Two buttons: sign out everywhere, or only let the app have its way and stay signed in here. */
export function logoutPage({
  formHtml,
  clientName,
  upstream,
  stylesheetHref,
}: LogoutPageOptions): string {
  const title = 'Do you want to sign out?'
  const body = html`
    ${toneSign('info')}
    <h1>${title}</h1>
    <p>${clientName ? `${clientName} asks to sign you out.` : 'You are about to be signed out.'}</p>
    <p class="todo">Other apps that you use with this sign-in will ask you to sign in again.</p>
    ${raw(formHtml)} ${upstream && upstreamPart(upstream)}
    <div class="actions">
      <button class="button" type="submit" form="${FORM_ID}" name="logout" value="yes">
        Sign out
      </button>
      <button class="button quiet" type="submit" form="${FORM_ID}">Stay signed in</button>
    </div>
  `
  return layout({ title, body, stylesheetHref })
}

function upstreamPart({ name, kind }: NonNullable<LogoutPageOptions['upstream']>): Html {
  if (kind === 'always') return html`<p>You will be signed out at ${name} too.</p>`
  if (kind === 'stays') return html`<p>You may still be signed in at ${name} afterwards.</p>`
  return html`<p>
    <label>
      <input type="checkbox" form="${FORM_ID}" name="upstream" value="yes" />
      Sign out at ${name} too
    </label>
  </p>`
}

export interface LoggedOutPageOptions {
  readonly clientName?: string | undefined
  readonly clientUri?: string | undefined
  /** Where the person may still be signed in. */
  readonly upstreamName?: string | undefined
  readonly stylesheetHref?: string | undefined
}

export function loggedOutPage({
  clientName = 'the app',
  clientUri,
  upstreamName,
  stylesheetHref,
}: LoggedOutPageOptions = {}): string {
  const title = 'You are signed out'
  const href = safeHref(clientUri)
  const wayOn =
    href &&
    html`<div class="actions"><a class="button" href="${href}">Go to ${clientName}</a></div>`
  const body = html`
    ${toneSign('good')}
    <h1>${title}</h1>
    ${upstreamName && html`<p>You may still be signed in at ${upstreamName}.</p>`}
    <p>On a shared computer, close the browser too.</p>
    ${wayOn || html`<p class="todo">You can close this tab, or open the app again to sign in.</p>`}
  `
  return layout({ title, body, stylesheetHref })
}

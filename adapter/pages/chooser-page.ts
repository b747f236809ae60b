// Lets the end-user choose an upstream. Which ones are offered, and in which order, is not decided here.
import { html, safeHref, type Html } from '../../service/html.ts'
import { layout } from './layout.ts'

export interface Choice {
  readonly name: string
  readonly href: string
  /** Did not answer the last time; may be chosen all the same. */
  readonly isDown?: boolean
}

export interface ChooserOptions {
  readonly clientName?: string | undefined
  /** In the order shown; `href` starts the sign-in there. */
  readonly choices: readonly Choice[]
  /** Offers to find the way by the domain of an e-mail address, which is posted to `action` as `email`. */
  readonly emailForm?:
    | { readonly action: string; readonly email?: string; readonly isUnknown?: boolean }
    | undefined
  readonly flowId?: string | undefined
  readonly stylesheetHref?: string | undefined
}

/** In words, within the link: a colour alone would tell not everybody. */
const DOWN = html`<br /><small>Not available at the moment. You can try it all the same.</small>`

const UNKNOWN = html`<p class="fault" id="email-fault">
  No sign-in belongs to this address. Choose one above.
</p>`

function byEmail({
  action,
  email = '',
  isUnknown = false,
}: NonNullable<ChooserOptions['emailForm']>): Html {
  const fault = isUnknown ? html` aria-invalid="true" aria-describedby="email-fault" autofocus` : ''
  return html`<form class="email" method="post" action="${action}">
    <label for="email">Or go by your e-mail address</label>
    <input
      id="email"
      name="email"
      type="email"
      autocomplete="email"
      maxlength="320"
      required
      value="${email}"
      ${fault}
    />
    ${isUnknown ? UNKNOWN : ''}
    <button class="button" type="submit">Continue</button>
  </form>`
}

export function chooserPage({
  clientName = 'the app',
  choices,
  emailForm,
  flowId,
  stylesheetHref,
}: ChooserOptions): string {
  const title = 'How do you want to sign in?'
  const items = choices
    .filter(({ href }) => safeHref(href))
    .map(
      ({ name, href, isDown }) =>
        html`<li>
          <a class="button quiet choice" href="${href}"
            ><span>${name}${isDown ? DOWN : ''}</span><span aria-hidden="true">→</span></a
          >
        </li>`,
    )
  const body = html`
    <h1>${title}</h1>
    <p class="todo">You will come back to ${clientName} when you are signed in.</p>
    <ul class="choices">
      ${items}
    </ul>
    ${emailForm ? byEmail(emailForm) : ''}
  `
  return layout({ title, body, flowId, stylesheetHref })
}

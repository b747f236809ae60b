// Lets the end-user choose an upstream. Which ones are offered is not decided here.
import { html, safeHref } from '../../service/html.ts'
import { layout } from './layout.ts'

export interface ChooserOptions {
  readonly clientName?: string | undefined
  /** In the order shown; `href` starts the sign-in there. */
  readonly choices: readonly { readonly name: string; readonly href: string }[]
  readonly flowId?: string | undefined
  readonly stylesheetHref?: string | undefined
}

export function chooserPage({
  clientName = 'the app',
  choices,
  flowId,
  stylesheetHref,
}: ChooserOptions): string {
  const title = 'How do you want to sign in?'
  const items = choices
    .filter(({ href }) => safeHref(href))
    .map(
      ({ name, href }) =>
        html`<li>
          <a class="button quiet choice" href="${href}">${name}<span aria-hidden="true">→</span></a>
        </li>`,
    )
  const body = html`
    <h1>${title}</h1>
    <p class="todo">You will come back to ${clientName} when you are signed in.</p>
    <ul class="choices">
      ${items}
    </ul>
  `
  return layout({ title, body, flowId, stylesheetHref })
}

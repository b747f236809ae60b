// A page whose form carries the browser on by POST: by itself where scripts run, by a button where they do not.
import { createHash } from 'node:crypto'
import { html, raw, safeHref } from '../../service/html.ts'
import { layout } from './layout.ts'

// Not document.forms[0].submit(): a field named "submit" would stand in its way.
const SCRIPT = 'HTMLFormElement.prototype.submit.call(document.forms[0])'

// In one piece: a space more inside the element would be another hash.
const SCRIPT_ELEMENT = raw(`<script>${SCRIPT}</script>`)

/** `sha256-…` of the one inline script, for the script-src of this page's Content-Security-Policy. */
export const autoSubmitScriptHash = `sha256-${createHash('sha256').update(SCRIPT).digest('base64')}`

export interface RedirectFormOptions {
  /** Where the form goes, http(s); the page's form-action must allow it. */
  readonly action: string
  /** Hidden fields. */
  readonly fields: Readonly<Record<string, string>>
  /** Name of what waits at the other end. */
  readonly clientName?: string | undefined
  readonly stylesheetHref?: string | undefined
}

/** @throws {TypeError} if a form may not lead to `action` */
export function redirectFormPage({
  action,
  fields,
  clientName = 'the app',
  stylesheetHref,
}: RedirectFormOptions): string {
  if (safeHref(action) === undefined)
    throw new TypeError('The action of a form must be an http(s) URL or a path')
  const title = 'One moment'
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`,
  )
  const body = html`
    <h1>${title}</h1>
    <p>You are being taken to ${clientName}.</p>
    <p class="todo">If nothing happens, press Continue.</p>
    <form method="post" action="${action}">
      ${inputs}
      <div class="actions"><button class="button" type="submit">Continue</button></div>
    </form>
    ${SCRIPT_ELEMENT}
  `
  return layout({ title, body, stylesheetHref })
}

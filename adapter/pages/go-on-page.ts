// Carries a browser on after a form, by a Refresh header where the browser heeds it, by a link where it does not.
import { html, safeHref } from '../../service/html.ts'
import { layout } from './layout.ts'

/** @throws {TypeError} if `href` is neither a path nor http(s) */
export function goOnPage(href: string): string {
  if (safeHref(href) === undefined) throw new TypeError('Expected a path or an http(s) URL')
  const body = html`
    <h1>One moment</h1>
    <p>You are being taken on.</p>
    <p class="todo">If nothing happens, press Continue.</p>
    <div class="actions"><a class="button" href="${href}">Continue</a></div>
  `
  return layout({ title: 'One moment', body })
}

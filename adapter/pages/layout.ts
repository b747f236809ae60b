// What every page has: head, brand, one main landmark, and the footer with the flow id. Knows no particular page.
import { html, raw, type Html } from '../../service/html.ts'
import { stylesheet } from './styles.ts'

export interface LayoutOptions {
  readonly title: string
  readonly body: Html
  /** Shown for the operator to look up. */
  readonly flowId?: string | undefined
  readonly stylesheetHref?: string | undefined
  /** Room for tables. */
  readonly isWide?: boolean | undefined
}

const LINKS =
  '<rect x="1.5" y="1.5" width="20" height="13" rx="6.5"/><path d="M18.5 14.5h9a6.5 6.5 0 0 0 0-13h-5M14 8h14" stroke-linecap="round"/>'
const BRAND = raw(
  `<svg viewBox="0 0 36 16" fill="none" stroke="currentColor" stroke-width="2.6" aria-hidden="true">${LINKS}</svg>`,
)
const ICON = encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1 -11 38 38" fill="none" stroke="#2b8a74" stroke-width="4">${LINKS}</svg>`,
)

const flowIdFooter = (flowId: string) =>
  html`<p>
    Flow ID <code class="flow-id">${flowId}</code><br />
    If you ask for help, give this ID to the operator.
  </p>`

/** One whole HTML document. */
export function layout({
  title,
  body,
  flowId,
  stylesheetHref = stylesheet.path,
  isWide = false,
}: LayoutOptions): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <link rel="icon" href="data:image/svg+xml,${ICON}" />
        <link rel="stylesheet" href="${stylesheetHref}" />
      </head>
      <body class="${isWide ? 'wide' : 'narrow'}">
        <header><p class="brand">${BRAND} auth-adapter</p></header>
        <main><div class="card">${body}</div></main>
        <footer>${flowId ? flowIdFooter(flowId) : ''}</footer>
      </body>
    </html> `
    .toString()
    .trim()
}

export type Tone = 'info' | 'good' | 'warn' | 'bad'

const TONES: Readonly<Record<Tone, string>> = {
  info: '<circle cx="12" cy="12" r="9.25"/><path d="M12 11v5.5M12 7.6v.1"/>',
  good: '<circle cx="12" cy="12" r="9.25"/><path d="m8 12.4 2.8 2.8L16 9.6"/>',
  warn: '<path d="M12 3.6 2.9 19.4h18.2z" stroke-linejoin="round"/><path d="M12 10v4.2M12 16.9v.1"/>',
  bad: '<circle cx="12" cy="12" r="9.25"/><path d="m9 9 6 6m0-6-6 6"/>',
}

/** The sign above a heading; says nothing that the heading does not. */
export const toneSign = (tone: Tone): Html =>
  raw(
    `<svg class="tone tone-${tone}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" aria-hidden="true">${TONES[tone]}</svg>`,
  )

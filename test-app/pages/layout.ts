// The frame of every page: head, navigation, footer. No foreign resource.
import { html } from 'hono/html'
import { whoLine } from './person/way-in.ts'
import type { Who } from './person/who.ts'

/** Text of a page or of a part of one. */
export type Html = ReturnType<typeof html>

/** What every page knows of this app. */
export interface AppFacts {
  readonly name: string
  readonly url: string
  readonly issuer: string
  readonly clientId: string
  readonly scope: string
  readonly sessionCookie: string
}

export interface Page {
  readonly title: string
  /** Path that the navigation marks as the present one. */
  readonly path: string
  readonly who: Who | undefined
  readonly body: Html
}

/** The pages that everybody can go to, in this order. */
export const NAVIGATION = [
  ['/', 'Home'],
  ['/authenticated', 'Your token'],
  ['/device', 'A device'],
  ['/audit', 'Audit'],
] as const
const FOR_NOBODY = [['/login.html', 'Ways to sign in']] as const
const FOR_SIGNED_IN = [
  ['/#live-log', 'Live log'],
  ['/log', 'Services'],
  ['/logout', 'Sign out'],
] as const

export async function renderPage(app: AppFacts, page: Page): Promise<string> {
  return String(await document(app, page))
}

const document = (app: AppFacts, { title, path, who, body }: Page): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ${app.name}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <p class="brand"><a href="/">${app.name}</a></p>
          <nav aria-label="Main">
            <ul>
              ${[...NAVIGATION, ...(who ? FOR_SIGNED_IN : FOR_NOBODY)].map(
                ([href, text]) => html`<li>${navigationLink(href, text, path)}</li>`,
              )}
            </ul>
          </nav>
          ${whoLine(who)}
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
        <footer>
          <p>
            Client <code>${app.clientId}</code> of the adapter at <code>${app.issuer}</code>.
            Session cookie <code>${app.sessionCookie}</code>.
          </p>
        </footer>
      </body>
    </html> `

function navigationLink(href: string, text: string, path: string): Html {
  return href === path
    ? html`<a href="${href}" aria-current="page">${text}</a>`
    : html`<a href="${href}">${text}</a>`
}

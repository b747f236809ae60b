// The frame of every page: head, navigation, footer. No script, no foreign resource.
import { html } from 'hono/html'

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
  /** Who is signed in, as shown. */
  readonly person: string | undefined
  readonly body: Html
}

export async function renderPage(app: AppFacts, page: Page): Promise<string> {
  return String(await document(app, page))
}

const document = (app: AppFacts, { title, path, person, body }: Page): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} · ${app.name}</title>
        <link rel="stylesheet" href="/style.css" />
        <link rel="icon" href="data:," />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <p class="brand"><a href="/">${app.name}</a></p>
          <nav aria-label="Main">
            <ul>
              <li>${navigationLink('/', 'The chain', path)}</li>
              <li>${navigationLink('/authenticated', 'Your token', path)}</li>
              <li>${navigationLink('/device', 'A device', path)}</li>
              ${person === undefined ? '' : html`<li>${navigationLink('/logout', 'Sign out', path)}</li>`}
            </ul>
          </nav>
          <p class="who">
            ${person === undefined ? 'Not signed in' : html`Signed in as <b>${person}</b>`}
          </p>
        </header>
        <main id="main" tabindex="-1">
          <h1>${title}</h1>
          ${body}
        </main>
        <footer>
          <p>
            Client <code>${app.clientId}</code> of the adapter at <code>${app.issuer}</code>.
            Session cookie <code>${app.sessionCookie}</code>; tokens stay on the server.
          </p>
        </footer>
      </body>
    </html> `

function navigationLink(href: string, text: string, path: string): Html {
  return href === path
    ? html`<a href="${href}" aria-current="page">${text}</a>`
    : html`<a href="${href}">${text}</a>`
}

// Every page of the test server: plain forms that work without scripts.
import { html } from 'hono/html'

export const stylesheetPath = '/style.css'

type Content = ReturnType<typeof html>

const defaultName = 'test-auth-server'

export interface PageOptions {
  serverName?: string
  /** `wide` for tables; default: a card. */
  layout?: 'card' | 'wide'
}

export const page = (
  title: string,
  content: Content,
  { serverName = defaultName, layout = 'card' }: PageOptions = {},
): string =>
  String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>${title} – ${serverName}</title>
          <link rel="stylesheet" href="${stylesheetPath}" />
          <link rel="icon" href="data:," />
        </head>
        <body>
          <main class="${layout}">
            <p class="issuer">${serverName}</p>
            <h1>${title}</h1>
            ${content}
          </main>
        </body>
      </html> `,
  )

export interface LoginPage {
  serverName: string
  /** Where the form goes. */
  action: string
  interactionUid: string
  clientId: string
  username: string
  /** Whether the application asks for more than a password. */
  asksSecondFactor?: boolean
  /** What went wrong with the last try, if there was one. */
  error?: string | undefined
}

const loginError = (error: string) =>
  html`<p class="error" id="login-error" role="alert">${error}</p>`

const secondFactor = html`<p>The application asks for a second factor; it counts as given.</p>
  <label class="choice">
    <input type="checkbox" name="without_second_factor" value="yes" />
    Sign in without it
  </label>`

const signInButtons = html`<div class="buttons">
  <button class="main" name="action" value="sign-in">Sign in</button>
  <button name="action" value="cancel" formnovalidate>Cancel</button>
</div>`

function credentials({ username, error }: LoginPage): Content {
  const invalid =
    error === undefined ? '' : html` aria-invalid="true" aria-describedby="login-error"`
  const focusName = username === '' ? html` autofocus` : ''
  const focusPassword = username === '' ? '' : html` autofocus`
  return html`<label for="username">User name</label>
    <input
      id="username"
      name="username"
      value="${username}"
      autocomplete="username"
      autocapitalize="none"
      spellcheck="false"
      maxlength="200"
      required${focusName}${invalid}
    />
    <label for="password">Password</label>
    <input
      id="password"
      name="password"
      type="password"
      autocomplete="current-password"
      maxlength="1000"
      required${focusPassword}${invalid}
    />`
}

export function loginPage(login: LoginPage): string {
  const { serverName, action, interactionUid, clientId, asksSecondFactor = false, error } = login
  return page(
    'Sign in',
    html`<p>to go on to <strong>${clientId}</strong></p>
      ${error === undefined ? '' : loginError(error)}
      <form method="post" action="${action}">
        <input type="hidden" name="interaction" value="${interactionUid}" />
        ${credentials(login)} ${asksSecondFactor ? secondFactor : ''} ${signInButtons}
      </form>`,
    { serverName },
  )
}

/** A page that only says something. */
export const messagePage = (title: string, message: string): string =>
  page(title, html`<p>${message}</p>`)

export interface LogoutPage {
  name: string
  action: string
  xsrf: string
}

export const logoutPage = ({ name, action, xsrf }: LogoutPage): string =>
  page(
    'Sign out',
    html`<p>You are signed in as <strong>${name}</strong>.</p>
      <form method="post" action="${action}">
        <input type="hidden" name="xsrf" value="${xsrf}" />
        <div class="buttons">
          <button class="main" name="logout" value="yes">Sign out</button>
          <button name="stay" value="yes">Stay signed in</button>
        </div>
      </form>`,
  )

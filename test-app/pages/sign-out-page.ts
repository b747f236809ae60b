// Signing out: the question, and what can be said when only half of it worked.
import { html } from 'hono/html'
import type { AppFacts, Html } from './layout.ts'

export function signOutPage(app: AppFacts, formToken: string): Html {
  return html` <p class="lead">
      You have a session here and, most likely, one at the adapter and one at the upstream. Which
      shall end?
    </p>
    <form method="post" action="/logout" class="choices">
      <input type="hidden" name="form_token" value="${formToken}" />
      <div class="card">
        <h2>Here only</h2>
        <p>
          This app forgets you and your tokens. The next sign-in passes through the adapter without
          a password.
        </p>
        <button name="where" value="here">Sign out here</button>
      </div>
      <div class="card">
        <h2>Everywhere</h2>
        <p>
          Then the browser goes to <code>${app.issuer}</code>, which ends its session, tells every
          app of it, and asks about the upstream.
        </p>
        <button name="where" value="adapter">Sign out everywhere</button>
      </div>
    </form>
    <p><a href="/authenticated">Stay signed in</a></p>`
}

export function notSignedInPage(): Html {
  return html` <p class="lead">There is nothing to end: you are not signed in to this app.</p>
    <p>
      If a sign-in asks for no password, it is the adapter that still knows you. Sign in, then
      choose “everywhere” here.
    </p>
    <p class="actions">
      <a class="button" href="/authenticated">Sign in</a>
      <a class="button quiet" href="/">The chain</a>
    </p>`
}

/** `tried` is the address that did not answer; undefined if the adapter offers no logout. */
export function halfSignedOutPage(tried: string | undefined): Html {
  const reason = tried
    ? html`The adapter did not answer at <code>${tried}</code>`
    : html`The adapter’s metadata name no <code>end_session_endpoint</code>`
  return html` <p class="lead">
      You are signed out of this app. ${reason}, so its own session goes on.
    </p>
    <p>
      Anyone who uses this browser can sign in here again without a password until that session
      ends. Sign in and try again, or close the browser.
    </p>
    <p class="actions"><a class="button" href="/">The chain</a></p>`
}

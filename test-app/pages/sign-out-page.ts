// Signing out: the question, and what can be said when only half of it worked.
import { html } from 'hono/html'
import type { AppFacts, Html } from './layout.ts'
import type { Who } from './person/who.ts'

export function signOutPage(app: AppFacts, via: Who['via'], formToken: string): Html {
  return {
    session: () => afterTheChain(app, formToken),
    cookie: () => afterTheForm(formToken),
    bearer: withAToken,
  }[via]()
}

function afterTheChain(app: AppFacts, formToken: string): Html {
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

function afterTheForm(formToken: string): Html {
  return html` <p class="lead">
      You signed in with the form of this app. Your session at the identity service ends, the
      adapter takes its tokens back, and this browser loses their cookies.
    </p>
    <form method="post" action="/logout">
      <input type="hidden" name="form_token" value="${formToken}" />
      <p class="actions">
        <button name="where" value="here">Sign out</button>
        <a class="button quiet" href="/authenticated">Stay signed in</a>
      </p>
    </form>`
}

const withAToken = (): Html =>
  html` <p class="lead">
      This request brought its token in the Authorization header. There is no session here that
      could end: whoever sent the token has to forget it.
    </p>
    <p class="actions"><a class="button quiet" href="/">Home</a></p>`

export function notSignedInPage(): Html {
  return html` <p class="lead">There is nothing to end: you are not signed in to this app.</p>
    <p>
      If a sign-in asks for no password, it is the adapter that still knows you. Sign in, then
      choose “everywhere” here.
    </p>
    <p class="actions">
      <a class="button" href="/authenticated">Sign in</a>
      <a class="button quiet" href="/login.html">With the form of this app</a>
      <a class="button quiet" href="/">Home</a>
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
    <p class="actions"><a class="button" href="/">Home</a></p>`
}

// The first page: what the chain is, and who is signed in.
import { html } from 'hono/html'
import { utc } from './claim-meanings.ts'
import type { AppFacts, Html } from './layout.ts'
import type { SignIn } from '../session/session-data.ts'

export interface HomePage {
  readonly app: AppFacts
  readonly signIn: SignIn | undefined
  readonly person: string | undefined
  readonly signedOut: 'here' | 'adapter' | undefined
}

const NOTICES = {
  here: html`You are signed out of this app. The adapter still knows you: a new sign-in needs no
    password. <a href="/logout">How to end that too</a>`,
  adapter: html`You are signed out of this app and of the adapter. It tells every other app that you
  signed in to with that session.`,
} as const

export function homePage({ app, signIn, person, signedOut }: HomePage): Html {
  return html` ${signedOut && !signIn ? html`<p class="notice" role="status">${NOTICES[signedOut]}</p>` : ''}
    <p class="lead">
      This app knows no password. It sends you to <b>the adapter</b>, which sends you to the
      identity provider behind it, and gets back a token that the adapter minted itself. That is the
      whole chain.
    </p>
    ${signIn ? signedInCard(signIn, person) : signedOutCard()} ${processes(app)} ${hops(app)}`
}

function signedInCard(signIn: SignIn, person: string | undefined): Html {
  return html`<section class="card" aria-labelledby="you">
    <h2 id="you">You are signed in as ${person}</h2>
    <p>Subject <code>${signIn.subject}</code>, signed in ${utc(signIn.signedInAt)}.</p>
    <p class="actions">
      <a class="button" href="/authenticated">See who you are and your token</a>
      <a class="button quiet" href="/logout">Sign out</a>
    </p>
  </section>`
}

function signedOutCard(): Html {
  return html`<section class="card" aria-labelledby="you">
    <h2 id="you">You are not signed in</h2>
    <p>In the demo, <code>testuser</code> with the password <code>password</code> can sign in.</p>
    <p class="actions"><a class="button" href="/authenticated">Sign in</a></p>
  </section>`
}

function processes(app: AppFacts): Html {
  return html`<section aria-labelledby="processes">
    <h2 id="processes">Three processes</h2>
    <ol class="chain">
      <li>
        <b>${app.name}</b> <code>${app.url}</code>
        <span>The client: this page. Keeps your tokens in its session.</span>
      </li>
      <li>
        <b>The adapter</b> <code>${app.issuer}</code>
        <span>An OpenID Provider to this app, a client of the one behind it. Mints the token.</span>
      </li>
      <li>
        <b>The upstream</b> <code>test-auth-server</code>
        <span>The identity provider: has the accounts and asks for the password.</span>
      </li>
    </ol>
  </section>`
}

function hops(app: AppFacts): Html {
  return html`<section aria-labelledby="hops">
    <h2 id="hops">What happens when you sign in</h2>
    <ol class="hops">
      <li>
        You open <code>/authenticated</code>. There is no session, so this app redirects to the
        adapter’s <code>/oauth2/authorize</code> as <code>${app.clientId}</code> for
        <code>${app.scope}</code>, with its own <code>state</code>, <code>nonce</code> and PKCE.
      </li>
      <li>
        The adapter does not know you either. It redirects to the upstream with a
        <code>state</code>, a <code>nonce</code> and PKCE of its own: two separate legs, each with
        its own secrets.
      </li>
      <li>The upstream shows its login page. Your password goes there and nowhere else.</li>
      <li>
        The upstream sends a code to the adapter, which exchanges it, verifies the ID token and maps
        the identity.
      </li>
      <li>
        The adapter sends a code of its own to this app. This app exchanges it, server to server,
        for the <b>JWT access token</b> that the adapter signed.
      </li>
      <li>
        This app keeps the tokens in its session, sets <code>${app.sessionCookie}</code> and takes
        you where you wanted to go.
      </li>
    </ol>
  </section>`
}

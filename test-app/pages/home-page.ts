// The first page: what the chain is, and who is signed in.
import { html } from 'hono/html'
import { liveLogSection } from '../live-log/live-log-section.ts'
import { utc } from './claim-meanings.ts'
import type { AppFacts, Html } from './layout.ts'
import { WAYS_IN } from './person/way-in.ts'
import { signedInUntil } from './person/who.ts'
import type { Who } from './person/who.ts'

export interface HomePage {
  readonly app: AppFacts
  readonly who: Who | undefined
  readonly signedOut: SignedOut | undefined
}

export type SignedOut = keyof typeof NOTICES

const NOTICES = {
  form: html`You are signed out of this app and of the identity service.`,
  here: html`You are signed out of this app. The adapter still knows you: a new sign-in needs no
    password. <a href="/logout">How to end that too</a>`,
  adapter: html`You are signed out of this app and of the adapter. It tells every other app that you
  signed in to with that session.`,
} as const

export function homePage({ app, who, signedOut }: HomePage): Html {
  return html` ${signedOut && !who ? html`<p class="notice" role="status">${NOTICES[signedOut]}</p>` : ''}
    <p class="lead">
      Sign in through <b>the adapter</b>, which sends you to the identity provider behind it, or
      with the form of this app, which asks the identity service there. Either way ends in a token
      that the adapter minted itself. That is the whole chain.
    </p>
    ${who ? signedInCard(who) : signedOutCard()} ${who ? liveLogSection() : ''} ${processes(app)}
    ${hops(app)}`
}

function signedInCard(who: Who): Html {
  const facts = [
    ['Subject', html`<code>${who.subject}</code>`],
    ['How', WAYS_IN[who.via].meaning],
    ['Token until', tokenUntil(who)],
    ['Signed in', who.signIn && utc(who.signIn.signedInAt)],
    ['Signed in until', optionalTime(signedInUntil(who))],
  ] as const
  return html`<section class="card" aria-labelledby="you">
    <h2 id="you">You are signed in as ${who.name}</h2>
    <dl class="facts light">
      ${facts.map(([label, value]) =>
        value === undefined
          ? ''
          : html`<div>
              <dt>${label}</dt>
              <dd>${value}</dd>
            </div>`,
      )}
    </dl>
    <p class="actions">
      <a class="button" href="/authenticated">See who you are and your token</a>
      <a class="button quiet" href="/logout">Sign out</a>
    </p>
  </section>`
}

function tokenUntil({ tokenUntil: at, via }: Who): string | undefined {
  if (at === undefined) return undefined
  return via === 'bearer' ? utc(at) : `${utc(at)}, and then another one while you are here`
}

const optionalTime = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : utc(at)

function signedOutCard(): Html {
  return html`<section class="card" aria-labelledby="you">
    <h2 id="you">You are not signed in</h2>
    <p>
      In the demo, <code>testuser</code> can sign in at the identity provider, and
      <code>single@example.test</code>, the same person, with the form. The password is
      <code>password</code>.
    </p>
    <p class="actions">
      <a class="button" href="/authenticated">Sign in</a>
      <a class="button quiet" href="/login.html">With the form of this app</a>
    </p>
  </section>`
}

function processes(app: AppFacts): Html {
  return html`<section aria-labelledby="processes">
    <h2 id="processes">Three processes</h2>
    <ol class="chain">
      <li>
        <b>${app.name}</b> <code>${app.url}</code>
        <span>The client: this page. Keeps your tokens where no script finds them.</span>
      </li>
      <li>
        <b>The adapter</b> <code>${app.issuer}</code>
        <span>An OpenID Provider to this app, a client of the one behind it. Mints the token.</span>
      </li>
      <li>
        <b>The upstream</b> <code>test-auth-server</code>
        <span
          >The identity provider: has the accounts, asks for the password, and is the identity
          service behind the form.</span
        >
      </li>
    </ol>
  </section>`
}

function hops(app: AppFacts): Html {
  return html`<section aria-labelledby="hops">
    <h2 id="hops">What happens when you sign in by the adapter</h2>
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

// The protected page: the person, the access token and what is in it.
import { html } from 'hono/html'
import { claimRows, utc } from './claim-meanings.ts'
import { decodeJwt } from './decoded-jwt.ts'
import type { DecodedJwt } from './decoded-jwt.ts'
import type { AppFacts, Html } from './layout.ts'
import { WAYS_IN } from './person/way-in.ts'
import type { Who } from './person/who.ts'

export interface TokenPage {
  readonly app: AppFacts
  readonly who: Who
  /** The address that was asked for, shown so that one sees where a deep link lands. */
  readonly asked: string
  readonly signInAgain: string
  readonly now: number
}

export function tokenPage(page: TokenPage): Html {
  const { app, who, asked } = page
  const jwt = decodeJwt(who.accessToken)
  return html` <p class="lead">
      The adapter at <code>${app.issuer}</code> says who you are. You asked for
      <code id="asked">${asked}</code> and this is it.
    </p>
    ${validity(page)} ${userInfo(who)} ${accessToken(who, jwt)} ${idToken(who)}
    ${troubleshooting(app)}`
}

function idToken({ signIn }: Who): Html {
  if (!signIn) return html``
  return html`<section aria-labelledby="id-token">
    <h2 id="id-token">The ID token’s claims</h2>
    <p>
      It tells <em>this app</em> who signed in. Its signature, issuer, audience, times and nonce
      were checked before you were let in. It is not for calling APIs.
    </p>
    ${claimTable('Claims of the ID token', signIn.idTokenClaims)}
  </section>`
}

function validity({ who, signInAgain, now }: TokenPage): Html {
  const expiresAt = who.tokenUntil
  if (expiresAt === undefined)
    return html`<p class="notice">The adapter did not say how long the token lives.</p>`
  const seconds = Math.round((expiresAt - now) / 1000)
  if (seconds > 0) {
    return html`<p class="notice good" id="validity">
      The access token is valid for another ${seconds} s, until ${utc(expiresAt)}.
    </p>`
  }
  return html`<p class="notice bad" id="validity">
    The access token expired ${-seconds} s ago. You are still signed in to this app, but APIs will
    refuse the token. <a href="${signInAgain}">Sign in again for a new one</a>
  </p>`
}

const PROFILE: readonly (readonly [claim: string, label: string])[] = [
  ['sub', 'Subject'],
  ['preferred_username', 'User name'],
  ['name', 'Name'],
  ['email', 'E-mail'],
  ['authorities', 'Authorities'],
  ['test_auth_server_sub', 'Subject at the upstream'],
]

function userInfo(who: Who): Html {
  const known: Record<string, unknown> = { ...who.claims, ...who.signIn?.idTokenClaims }
  const rows = PROFILE.filter(([claim]) => known[claim] !== undefined)
  return html`<section class="card" aria-labelledby="user">
    <h2 id="user">User info</h2>
    <dl class="facts">
      ${rows.map(
        ([claim, label]) =>
          html`<div>
            <dt>${label}</dt>
            <dd data-claim="${claim}">${plain(known[claim])}</dd>
          </div>`,
      )}
      ${
        who.clients.length === 0
          ? ''
          : html`<div>
              <dt>For the clients</dt>
              <dd id="clients">${who.clients.join(', ')}</dd>
            </div>`
      }
      ${
        who.signIn
          ? html`<div>
              <dt>Signed in</dt>
              <dd>${utc(who.signIn.signedInAt)}</dd>
            </div>`
          : ''
      }
    </dl>
    <p id="way">${WAYS_IN[who.via].meaning}</p>
  </section>`
}

function plain(value: unknown): string {
  if (Array.isArray(value)) return value.map(plain).join(', ')
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function accessToken(who: Who, jwt: DecodedJwt | undefined): Html {
  return html`<section aria-labelledby="access-token">
    <h2 id="access-token">The access token</h2>
    <p>
      Minted by the adapter for scope
      <code>${who.signIn?.scope ?? plain(who.claims['scope'] ?? '')}</code>. An API verifies it with
      the keys at the adapter’s <code>/oauth2/jwks</code>. Whoever has it can use it: this page
      shows it because this is a test app.
    </p>
    <pre class="token" id="jwt" tabindex="0" aria-label="Access token">
${jwt ? coloured(jwt) : who.accessToken}</pre>
    ${jwt ? decoded(jwt) : html`<p class="notice">It is opaque: no JWT, so only the adapter can say what it means.</p>`}
  </section>`
}

function coloured({ parts: [header, claims, signature] }: DecodedJwt): Html {
  return html`<span class="part-1">${header}</span>.<span class="part-2">${claims}</span>.<span
      class="part-3"
      >${signature}</span
    >`
}

function decoded(jwt: DecodedJwt): Html {
  return html`<p class="legend">
      Three parts: <span class="part-1">header</span>, <span class="part-2">claims</span>,
      <span class="part-3">signature</span>.
    </p>
    <h3>Header</h3>
    ${claimTable('Header of the access token', jwt.header)}
    <h3>Claims</h3>
    ${claimTable('Claims of the access token', jwt.claims)}
    <details>
      <summary>The same as JSON</summary>
      <pre tabindex="0" aria-label="Claims of the access token as JSON">
${JSON.stringify(jwt.claims, null, 2)}</pre>
    </details>`
}

function claimTable(caption: string, claims: Readonly<Record<string, unknown>>): Html {
  return html`<table class="claims">
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">Claim</th>
        <th scope="col">Value</th>
        <th scope="col">What it says</th>
      </tr>
    </thead>
    <tbody>
      ${claimRows(claims).map(
        ({ name, value, meaning }) =>
          html`<tr>
            <th scope="row"><code>${name}</code></th>
            <td class="value"><code>${value}</code></td>
            <td>${meaning}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

function troubleshooting(app: AppFacts): Html {
  return html`<section aria-labelledby="trouble">
    <h2 id="trouble">When something is not as expected</h2>
    <ul>
      <li>
        A claim is missing or wrong: the <code>claims</code> of the upstream in
        <code>auth-adapter.yaml</code> say where each comes from.
      </li>
      <li>
        The sign-in ends in an error page: it names a flow id; search the adapter’s log for it.
      </li>
      <li>
        An API refuses the token: compare <code>iss</code>, <code>aud</code> and
        <code>exp</code> above with what it expects; keys are at
        <code>${app.issuer}/oauth2/jwks</code>.
      </li>
      <li>
        You come back signed in without a password: the adapter’s session is alive.
        <a href="/logout">Sign out</a> at the adapter too.
      </li>
    </ul>
  </section>`
}

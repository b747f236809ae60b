// Pages for what went wrong: each says what happened, what to do, and has a way on.
import { html } from 'hono/html'
import type { SignInError, SignInErrorCode } from '../relying-party/sign-in-error.ts'
import type { Html } from './layout.ts'

export interface Problem {
  readonly status: number
  readonly title: string
  readonly body: Html
}

export interface FailedSignIn {
  readonly error: SignInError
  /** Link that starts the sign-in again. */
  readonly again: string
  readonly discoveryUrl: string
  readonly clientId: string
}

const actions = (again: string, label = 'Try again'): Html =>
  html`<p class="actions">
    <a class="button" href="${again}">${label}</a> <a class="button quiet" href="/">Home</a>
  </p>`

const STATUS_OF_OAUTH_ERROR: Readonly<Record<string, number>> = {
  access_denied: 403,
  temporarily_unavailable: 503,
  server_error: 502,
}

const PROBLEMS: Readonly<Record<SignInErrorCode, (failed: FailedSignIn) => Problem>> = {
  adapter_unavailable: ({ again, discoveryUrl }) => ({
    status: 503,
    title: 'The adapter does not answer',
    body: html`<p class="lead">
        This app asked <code>${discoveryUrl}</code> and got no usable answer within five seconds.
      </p>
      <p>
        If you run the demo: is the adapter running, and is it on that port?
        <code>TEST_APP_ISSUER</code> says where this app looks for it. It need not be restarted once
        the adapter is back.
      </p>
      ${actions(again)}`,
  }),
  sign_in_refused: (failed) => refusedProblem(failed),
  client_refused: ({ again, clientId }) => ({
    status: 502,
    title: 'The adapter does not accept this app',
    body: html`<p class="lead">It refused the credentials of client <code>${clientId}</code>.</p>
      <p>
        Compare <code>TEST_APP_CLIENT_ID</code> and <code>TEST_APP_CLIENT_SECRET</code> with the
        entry under <code>clients</code> in <code>auth-adapter.yaml</code>.
      </p>
      ${actions(again)}`,
  }),
  code_refused: ({ again, error }) => ({
    status: 502,
    title: 'This sign-in can not be finished',
    body: html`<p class="lead">
        The adapter did not accept the code that it had sent: it was used already, or it was too
        old.
      </p>
      ${oauthError(error)}
      <p>Starting again usually needs no password.</p>
      ${actions(again)}`,
  }),
  answer_invalid: ({ again, discoveryUrl }) => ({
    status: 502,
    title: 'The answer could not be trusted',
    body: html`<p class="lead">
        What came back did not pass the checks: issuer, signature, audience, nonce or times are not
        what this app expects. You were not signed in.
      </p>
      <p>
        This app’s log names the check that failed. Compare <code>issuer</code> at
        <code>${discoveryUrl}</code> with <code>TEST_APP_ISSUER</code>, and the clocks of both
        machines.
      </p>
      ${actions(again)}`,
  }),
}

export function failedSignInProblem(failed: FailedSignIn): Problem {
  return PROBLEMS[failed.error.code](failed)
}

function refusedProblem({ again, error }: FailedSignIn): Problem {
  const code = error.oauth?.error ?? ''
  const isDenied = code === 'access_denied'
  return {
    status: (Object.hasOwn(STATUS_OF_OAUTH_ERROR, code) && STATUS_OF_OAUTH_ERROR[code]) || 400,
    title: isDenied ? 'The sign-in was refused' : 'The adapter ended the sign-in with an error',
    body: html`<p class="lead">
        ${
          isDenied
            ? 'You or the identity provider said no. You are not signed in.'
            : 'You are not signed in. This is what the adapter says:'
        }
      </p>
      ${oauthError(error)}
      <p>The adapter’s log has the cause.</p>
      ${actions(again)}`,
  }
}

function oauthError({ oauth }: SignInError): Html {
  if (!oauth) return html``
  return html`<dl class="facts">
    <div>
      <dt>Error</dt>
      <dd><code id="oauth-error">${visible(oauth.error, 80)}</code></dd>
    </div>
    ${
      oauth.description
        ? html`<div>
            <dt>Description</dt>
            <dd id="oauth-description">${visible(oauth.description, 400)}</dd>
          </div>`
        : ''
    }
  </dl>`
}

/** Printable ASCII only, as RFC 6749 §4.1.2.1 allows: https://www.rfc-editor.org/rfc/rfc6749.html#section-4.1.2.1 */
function visible(text: string, longest: number): string {
  const printable = text.replace(/[^\x20-\x7e]/g, '\ufffd')
  return printable.length > longest ? `${printable.slice(0, longest)}…` : printable
}

export const LOST_PROBLEM: Problem = {
  status: 400,
  title: 'This sign-in was not started here, or is over',
  body: html`<p class="lead">
      The link you came by belongs to a sign-in that this browser did not begin, that was finished
      before, or that took longer than fifteen minutes. Nothing was changed.
    </p>
    <p>
      If someone sent you the link, do not use it. If you came here by the Back button, just start
      again.
    </p>
    ${actions('/authenticated', 'Start again')}`,
}

export const COOKIES_BLOCKED_PROBLEM: Problem = {
  status: 400,
  title: 'Your browser did not keep the cookie',
  body: html`<p class="lead">
      A cookie that this app set a moment ago did not come back. Without cookies it can not know
      that the sign-in is yours, and stops here instead of going round in circles.
    </p>
    <p>Allow cookies for this site in the browser’s settings, then start again.</p>
    ${actions('/authenticated', 'Start again')}`,
}

export const SESSION_NOT_KEPT_PROBLEM: Problem = {
  status: 500,
  title: 'You signed in, but the session was not kept',
  body: html`<p class="lead">
      The sign-in worked a moment ago, and now there is no session: the browser did not keep the
      session cookie, or the store lost it. This app stops here instead of going round in circles.
    </p>
    <p>
      Check that cookies are allowed, that the address in the address bar is the one this app is
      configured with (<code>TEST_APP_URL</code>), and that the session store keeps what it is
      given.
    </p>
    ${actions('/authenticated')}`,
}

export const FORGED_FORM_PROBLEM: Problem = {
  status: 403,
  title: 'That form was not from this page',
  body: html`<p class="lead">
      The request to sign out did not come from this app’s own page, or the page was old. Nothing
      was changed: you are still signed in.
    </p>
    <p class="actions"><a class="button" href="/logout">To the sign-out page</a></p>`,
}

export const STORE_UNAVAILABLE_PROBLEM: Problem = {
  status: 503,
  title: 'The session store does not answer',
  body: html`<p class="lead">
      This app can not read its sessions at the moment, so it does not know who you are.
    </p>
    <p>
      With <code>REDIS_URL</code> set, sessions live in Redis: is it running? Nothing needs a
      restart once it is back, and you will still be signed in.
    </p>
    <p class="actions"><a class="button" href="/authenticated">Try again</a></p>`,
}

export const NOT_FOUND_PROBLEM: Problem = {
  status: 404,
  title: 'There is no such page',
  body: html`<p class="lead">The navigation above has every page of this app.</p>
    <p class="actions"><a class="button" href="/">Home</a></p>`,
}

export const UNEXPECTED_PROBLEM: Problem = {
  status: 500,
  title: 'Something went wrong',
  body: html`<p class="lead">
      This app met an error that it has no words for. Its log has the cause.
    </p>
    <p class="actions"><a class="button" href="/">Home</a></p>`,
}

/** Adds what finds the request in the log. */
export function withRequestId(problem: Problem, requestId: string | undefined): Problem {
  if (requestId === undefined) return problem
  const body = html`${problem.body}
    <p class="request-id">Request <code>${requestId}</code></p>`
  return { ...problem, body }
}

export const BAD_REQUEST_PROBLEM: Problem = {
  status: 400,
  title: 'That request can not be read',
  body: html`<p class="lead">It is too large or not well formed.</p>
    <p class="actions"><a class="button" href="/">Home</a></p>`,
}

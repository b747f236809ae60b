// The words of every message page: what happened, what to do, and where an operator looks. Layout belongs to message-page.ts.
import type { Tone } from './layout.ts'

export interface Names {
  /** The app, or "the app". */
  readonly app: string
  /** The upstream, or "the sign-in service". */
  readonly upstream: string
}

export interface MessageKind {
  readonly status: number
  readonly tone: Tone
  readonly title: (names: Names) => string
  readonly happened: (names: Names) => string
  readonly todo: (names: Names) => string
  /** For the operator, in the folded part of the page. */
  readonly operator?: string
}

// A name keeps its own spelling.
const sentenceStart = (text: string) => text.replace(/^the /, 'The ')

export const MESSAGE_KINDS = {
  not_started_here: {
    status: 400,
    tone: 'warn',
    title: () => 'This sign-in was not started here, or is over',
    happened: () =>
      'The page you opened belongs to a sign-in that began in another browser, was finished already, or was left open too long.',
    todo: ({ app }) =>
      `Go back to ${app} and start again. If you are signed in already, you will not be asked a second time.`,
  },
  expired: {
    status: 400,
    tone: 'warn',
    title: () => 'This sign-in took too long',
    happened: () =>
      'For your safety a sign-in has to be finished within a few minutes, and this one was not.',
    todo: () => 'Nothing is lost. Start again and it will work.',
  },
  cookies_blocked: {
    status: 400,
    tone: 'warn',
    title: () => 'Your browser blocks cookies',
    happened: () =>
      'Signing in needs a cookie to remember you from one page to the next, and your browser did not send it back.',
    todo: () => 'Allow cookies for this site, or leave private mode, and then start again.',
    operator:
      'If cookies are allowed, look whether a proxy removes Set-Cookie, or whether http is used where the issuer says https.',
  },
  upstream_unavailable: {
    status: 502,
    tone: 'warn',
    title: ({ upstream }) => `${sentenceStart(upstream)} does not answer`,
    happened: ({ upstream }) =>
      `You sign in with ${upstream}, and it can not be reached at the moment.`,
    todo: () =>
      'Wait a moment and try again. Your password was not wrong, and nothing was changed.',
    operator: 'The log line with this flow ID names what was asked, and what came back.',
  },
  upstream_failed: {
    status: 502,
    tone: 'bad',
    title: ({ upstream }) => `Signing in with ${upstream} failed`,
    happened: ({ upstream }) =>
      `The answer of ${upstream} could not be accepted, so you were not signed in.`,
    todo: () => 'Try once more. If it happens again, give the flow ID below to the operator.',
    operator: 'The log line with this flow ID names what was expected, and what was received.',
  },
  unknown_upstream: {
    status: 404,
    tone: 'warn',
    title: () => 'There is no such way to sign in',
    happened: () => 'The address names a sign-in service that is not known here.',
    todo: ({ app }) => `Go back to ${app} and start again.`,
    operator: 'The name in the path must be one of `upstreams` in the configuration.',
  },
  access_denied: {
    status: 403,
    tone: 'info',
    title: () => 'You were not signed in',
    happened: ({ upstream }) => `You, or ${upstream}, refused the sign-in.`,
    todo: ({ app }) => `If that was not what you wanted, go back to ${app} and try again.`,
  },
  invalid_request: {
    status: 400,
    tone: 'bad',
    title: () => 'This sign-in link does not work',
    happened: () =>
      'The app that sent you here asked in a way that is not accepted. You did nothing wrong.',
    todo: () =>
      'Go back to the app and try again. If it happens again, tell the people who run the app.',
    operator:
      'Compare client_id, redirect_uri and scope of the request with the entry of the client in the configuration: the redirect URI must be the same, character by character.',
  },
  logout_refused: {
    status: 400,
    tone: 'bad',
    title: () => 'This sign-out link does not work',
    happened: () =>
      'The request to sign you out was not as it has to be, or was answered before. This page has changed nothing.',
    todo: () => 'If you are still signed in, you can sign out here.',
    operator:
      'Compare client_id, id_token_hint and post_logout_redirect_uri of the request with the entry of the client in the configuration: the URI must be the same as one of `post_logout_redirect_uris`, character by character.',
  },
  temporarily_unavailable: {
    status: 503,
    tone: 'warn',
    title: () => 'We can not sign you in right now',
    happened: () => 'Something this service depends on is not available for the moment.',
    todo: () => 'Wait a few seconds and try again.',
    operator: 'The store does not answer; the log line with this ID names it.',
  },
  not_found: {
    status: 404,
    tone: 'info',
    title: () => 'There is nothing here',
    happened: () => 'The address you opened is not a page of this service.',
    todo: ({ app }) => `Check the address, or go back to ${app}.`,
  },
  method_not_allowed: {
    status: 405,
    tone: 'info',
    title: () => 'This page can not be opened that way',
    happened: () => 'The address exists, but not for this kind of request.',
    todo: ({ app }) => `Go back to ${app} and start again.`,
  },
  too_large: {
    status: 413,
    tone: 'warn',
    title: () => 'This request is too large',
    happened: () => 'More was sent than this service accepts.',
    todo: ({ app }) =>
      `Go back to ${app} and start again. If it happens again, tell the people who run it.`,
  },
  misdirected_host: {
    status: 421,
    tone: 'warn',
    title: () => 'This is not the right address',
    happened: () => 'This service is not offered under the host name you used.',
    todo: ({ app }) => `Start again from ${app} instead of from a saved address.`,
    operator:
      'The host of the request must be that of `issuer`. Behind a proxy, pass Host on, or X-Forwarded-Host from one of `trusted_proxies`.',
  },
  server_error: {
    status: 500,
    tone: 'bad',
    title: () => 'Something went wrong on our side',
    happened: () => 'The sign-in could not be finished because of a fault in this service.',
    todo: () => 'Try once more. If it happens again, give the ID on this page to the operator.',
    operator: 'The log line with this ID has the cause.',
  },
  already_signed_in: {
    status: 200,
    tone: 'good',
    title: () => 'You are signed in',
    happened: () => 'This sign-in was finished already, so there is nothing left to do here.',
    todo: ({ app }) => `Continue to ${app}.`,
  },
} as const satisfies Readonly<Record<string, MessageKind>>

export type MessageKindName = keyof typeof MESSAGE_KINDS

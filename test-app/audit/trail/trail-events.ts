// What can happen to a login, in the words of the page that shows it. What an event may say is trail-fields.ts.

interface EventRow {
  /** For who reads the story. */
  readonly means: string
  /** The same of a login with the form, where that differs from the chain. */
  readonly meansByForm?: string
  /** How the story looks once this happened; absent: as before. */
  readonly outcome?: Outcome
  /** Happens once in a login, or once for each token: said again, it is the same request that came twice. */
  readonly isOnce?: true | 'for each token'
}

export type Outcome = 'open' | 'signed_in' | 'failed' | 'signed_out'

export const TRAIL_EVENTS = {
  'login.started': {
    means: 'Sign-in begun: the browser was sent to the adapter.',
    meansByForm: 'Sign-in begun: e-mail and password were sent to the identity service.',
    outcome: 'open',
    isOnce: true,
  },
  'login.returned': {
    means: 'The adapter sent the browser back with an authorization code.',
    isOnce: true,
  },
  'login.code_redeemed': {
    means:
      'The adapter took the code. Issuer, signature, audience, nonce and times of the ID token hold.',
    isOnce: true,
  },
  'login.password_accepted': {
    means: 'The identity service accepted e-mail and password.',
    isOnce: true,
  },
  'login.branch_asked': {
    means: 'The person belongs to several branches and was asked for one.',
    isOnce: true,
  },
  'login.branch_chosen': { means: 'One branch was chosen.', isOnce: true },
  'login.token_exchanged': {
    means: 'The adapter gave tokens of its own for the one of the identity service.',
    isOnce: true,
  },
  'login.finished': { means: 'Signed in.', outcome: 'signed_in', isOnce: true },
  'login.landed': {
    means: 'The first page after the sign-in was shown; its token was verified again.',
    isOnce: true,
  },
  'login.failed': { means: 'The sign-in failed.', outcome: 'failed' },
  'login.lost': {
    means: 'An answer of the adapter came for no sign-in that this browser has open.',
    outcome: 'failed',
  },
  'login.session_not_kept': {
    means: 'The browser does not keep the session cookie, so the sign-in was stopped.',
    outcome: 'failed',
  },
  'tokens.refreshed': { means: 'The tokens were refreshed.', isOnce: 'for each token' },
  'tokens.refresh_failed': { means: 'The tokens could not be refreshed.' },
  'tokens.reused': {
    means: 'A refresh token that was used up came again. The whole sign-in was ended.',
    outcome: 'signed_out',
  },
  'session.ended': {
    means: 'The sign-in ended: it was over at a refresh, or another one took its place.',
    outcome: 'signed_out',
  },
  'logout.here': { means: 'Signed out of this app.', outcome: 'signed_out', isOnce: true },
  'logout.adapter': {
    means: 'Signed out of this app; the browser was sent to the adapter to end its session too.',
    outcome: 'signed_out',
    isOnce: true,
  },
  'logout.returned': {
    means: 'The adapter ended its session and sent the browser back.',
    isOnce: true,
  },
  'logout.back_channel': {
    means: 'The adapter said, server to server, that its session ended.',
    outcome: 'signed_out',
  },
  'logout.front_channel': {
    means: 'A page of the adapter said, in a browser, that its session ended.',
    outcome: 'signed_out',
  },
} as const satisfies Record<string, EventRow>

export type TrailEventName = keyof typeof TRAIL_EVENTS

/** Also for names that an older version of this app wrote. */
export function eventRow(name: string): EventRow {
  const rows: Readonly<Record<string, EventRow>> = TRAIL_EVENTS
  return (Object.hasOwn(rows, name) && rows[name]) || { means: name }
}

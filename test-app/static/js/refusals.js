// Why somebody is not signed in, in words. What has none here is said in those of the answer.

const WORDS = {
  INVALID_CREDENTIALS: 'The e-mail address or the password is not right.',
  ACCOUNT_DISABLED: 'This account is disabled.',
  WORKSPACE_DISABLED: 'The workspace of this account is disabled.',
  MEMBER_DISABLED: 'This account is no longer a member of its workspace.',
  BRANCH_CONTEXT_REQUIRED: 'This account is in no branch, so there is nothing to sign in to.',
  SYSTEM_ACCOUNT: 'This account is for programs. People can not sign in with it.',
  IDENTITY_UNAVAILABLE: 'The identity service does not answer. Nothing was changed: try again.',
  GATEWAY_TIMEOUT: 'The identity service takes too long to answer. Try again.',
  ADAPTER_UNAVAILABLE: 'The adapter does not answer. Try again.',
  STORE_UNAVAILABLE: 'This app can not keep a sign-in just now. Try again.',
  EXCHANGE_REFUSED:
    'The identity service knows you, and the adapter gave no token for that. Its log says why.',
  NETWORK: 'This app does not answer. Are you online?',
  UNEXPECTED: 'Something went wrong here. The log of this app says what.',
}

/** The log is where these are looked into. */
const NAMED_IN_LOG = new Set(['EXCHANGE_REFUSED', 'GATEWAY_TIMEOUT', 'UNEXPECTED'])

const MINUTE_MS = 60_000

function lockedFor(seconds, now) {
  if (!seconds) return 'This account is locked until somebody unlocks it.'
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  const until = new Date(Math.ceil((now + seconds * 1000) / MINUTE_MS) * MINUTE_MS)
  const clock = until.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })
  return `Too many wrong passwords. Try again at ${clock}, in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`
}

/** One or two sentences. */
export function wordsFor({ code, message, retryAfterSeconds, requestId }, now = Date.now()) {
  const words = code === 'ACCOUNT_LOCKED' ? lockedFor(retryAfterSeconds, now) : WORDS[code]
  const shown = words ?? message ?? WORDS.UNEXPECTED
  const isNamed = requestId && (NAMED_IN_LOG.has(code) || words === undefined)
  return isNamed ? `${shown} (request ${requestId})` : shown
}

// The security events, one table: what each means, which fields it may have, and the line of the log that it comes with. A
// field that does not stand here is in no event. What a kind of field lets through is judge-field.ts.
// A field added: the same version. A field removed, or one that means something else: the next version.

import type { AuditRow, FieldKind, FieldTypes } from './audit-fields.ts'

const LOGIN = { upstream: 'name', client_id: 'name' } as const
const REFUSED = { client_id: 'name', oauth_error: 'word', reason: 'text' } as const
const INVALID_CLIENT = { oauth_error: 'invalid_client' } as const
const REPLAYED = { reason: /^DPoP proof JWT Replay detected$/ } as const
const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  oauth_error: /^(?!invalid_client$)/,
} as const
const REUSE = { oauth_error: 'invalid_grant', reason: /already (?:used|consumed)$/ } as const

export const AUDIT_EVENTS = {
  'login.succeeded': {
    version: 1,
    means: 'Somebody signed in at an upstream and is somebody here.',
    fields: { ...LOGIN, person: 'person' },
    from: [{ event: 'login.finished' }],
    isKept: true,
  },
  'login.failed': {
    version: 1,
    means: 'The answer of the upstream could not be used; `code` and `reason` say why.',
    fields: { ...LOGIN, code: 'word', oauth_error: 'word', reason: 'text' },
    from: [{ event: 'login.failed' }],
    isKept: 'some',
  },
  'login.denied': {
    version: 1,
    means: 'The person does not meet what `require` of the upstream asks; `rules` names what.',
    fields: { ...LOGIN, rules: 'words' },
    from: [{ event: 'login.denied' }],
    isKept: true,
  },
  'login.refused': {
    version: 1,
    means: 'A step in a browser fits no login of that browser: late, replayed, or begun elsewhere.',
    fields: { ...LOGIN, code: 'word', reason: 'text' },
    from: [{ event: 'login.refused' }],
    isKept: false,
  },
  'login.mixup': {
    version: 1,
    means: 'The answer to a login at `expected` came for `received`.',
    fields: { expected: 'name', received: 'name' },
    from: [{ event: 'upstream.mixup' }],
    isKept: true,
  },
  'consent.given': {
    version: 1,
    means: 'Somebody agreed that an app of others gets what it asks for.',
    fields: { client_id: 'name', person: 'person' },
    from: [{ event: 'consent.given' }],
    isKept: true,
  },
  'consent.refused': {
    version: 1,
    means: 'Somebody did not agree that an app of others gets what it asks for.',
    fields: { client_id: 'name', person: 'person' },
    from: [{ event: 'consent.refused' }],
    isKept: false,
  },
  'consent.withdrawn': {
    version: 1,
    means: 'An operator took back what people agreed to: for an app, or of one person.',
    fields: { cause: 'word', client_id: 'name', person: 'person', consents: 'count' },
    from: [{ event: 'consents.withdrawn' }],
    isKept: true,
  },
  'token.issued': {
    version: 1,
    means: 'An app got tokens.',
    fields: { client_id: 'name', grant_type: 'text' },
    from: [{ event: 'token.issued' }],
    isKept: false,
  },
  'token.exchanged': {
    version: 1,
    means: 'An app got a token for another: `gives` says whether `upstream` or we made it.',
    fields: { ...LOGIN, gives: 'word', person: 'person' },
    from: [{ event: 'token.exchanged' }],
    isKept: false,
  },
  'token.exchange_refused': {
    version: 1,
    means: 'An app may not have a token for the one that it brought; `reason` says why.',
    fields: REFUSED,
    from: [{ event: 'token.refused', where: EXCHANGE }],
    isKept: 'some',
  },
  'token.revoked': {
    version: 1,
    means: 'An app revoked a token of its own.',
    fields: { client_id: 'name' },
    from: [{ event: 'token.revoked' }],
    isKept: true,
  },
  'token.reused': {
    version: 1,
    means: 'A code or refresh token was used again: all that came of its grant has ended.',
    fields: REFUSED,
    from: [{ event: 'token.refused', where: REUSE }],
    isKept: 'some',
  },
  'dpop.replayed': {
    version: 1,
    means: 'A proof that somebody holds the key of a token was shown again, and refused.',
    fields: { client_id: 'name' },
    from: [
      { event: 'dpop.replayed' },
      { event: 'token.refused', where: REPLAYED },
      { event: 'pushed.refused', where: REPLAYED },
    ],
    isKept: 'some',
  },
  'client.auth_failed': {
    version: 1,
    means: 'An app did not prove that it is the one it says, or is not known.',
    fields: REFUSED,
    from: [
      { event: 'token.refused', where: INVALID_CLIENT },
      { event: 'introspection.refused', where: INVALID_CLIENT },
      { event: 'revocation.refused', where: INVALID_CLIENT },
      { event: 'device.refused', where: INVALID_CLIENT },
      { event: 'pushed.refused', where: INVALID_CLIENT },
    ],
    isKept: 'some',
  },
  'session.ended': {
    version: 1,
    means:
      'A session ended: by the person, an upstream or an operator (`cause`). `told` apps are told from here, `untold` have no way to be.',
    fields: {
      cause: 'word',
      person: 'person',
      sessions: 'sessions',
      told: 'count',
      untold: 'count',
    },
    from: [{ event: 'session.ended' }],
    isKept: true,
  },
  'session.ended_by_upstream': {
    version: 1,
    means: 'At a refresh the upstream said that a sign-in is over: session and tokens have ended.',
    fields: { ...LOGIN, person: 'person', reason: 'text' },
    from: [{ event: 'lifecycle.ended' }],
    isKept: true,
  },
  'sessions.revoked': {
    version: 1,
    means:
      'Sessions were ended, or grants that had outlived theirs: by an operator, an upstream, or a changed configuration.',
    fields: { cause: 'word', upstream: 'name', sessions: 'count', grants: 'count', told: 'count' },
    from: [{ event: 'sessions.ended' }, { event: 'sessions.revoked' }, { event: 'grants.ended' }],
    isKept: true,
  },
  'logout.delivered': {
    version: 1,
    means: 'An app took the logout token of an ended session.',
    fields: { client_id: 'name', attempt: 'count', sessions: 'sessions' },
    from: [{ event: 'backchannel.sent' }],
    isKept: true,
  },
  'logout.not_delivered': {
    version: 1,
    means: 'An app did not take a logout token; `gives_up`: nor will it be tried again.',
    fields: {
      client_id: 'name',
      attempt: 'count',
      reason: 'text',
      gives_up: 'flag',
      sessions: 'sessions',
    },
    from: [{ event: 'backchannel.failed' }],
    isKept: true,
  },
  'logout.upstream_accepted': {
    version: 1,
    means: 'An upstream said that somebody signed out there, and it holds.',
    fields: { upstream: 'name', way: 'word', sessions: 'count' },
    from: [{ event: 'logout.token_accepted' }],
    isKept: true,
  },
  'logout.upstream_refused': {
    version: 1,
    means: 'A logout token in the name of an upstream does not hold; nothing ended.',
    fields: { upstream: 'name', reason: 'text' },
    from: [{ event: 'logout.token_refused' }],
    isKept: 'some',
  },
  'key.changed': {
    version: 1,
    means: 'A signing key was published, began to sign, retired, was removed or revoked.',
    fields: { kid: 'name', alg: 'word', change: 'word', reason: 'word' },
    from: [{ event: 'key.rotated' }],
    isKept: true,
  },
  'config.loaded': {
    version: 1,
    means: 'A changed configuration is in force.',
    fields: { trigger: 'word', added: 'names', removed: 'names', changed: 'names' },
    from: [{ event: 'config.loaded' }],
    isKept: true,
  },
  'config.rejected': {
    version: 1,
    means: 'A changed configuration can not be used; the one before stays in force.',
    fields: { trigger: 'word', reason: 'text' },
    from: [{ event: 'config.rejected' }],
    isKept: true,
  },
  'admin.refused': {
    version: 1,
    means: 'Somebody asked the admin API without its token, or with a wrong one.',
    fields: { reason: 'text' },
    from: [{ event: 'admin.refused' }],
    isKept: 'some',
  },
  'person.forgotten': {
    version: 1,
    means:
      'An operator erased all that was kept of a person; who it was is not said. `left`: records that still name them.',
    fields: { erased: 'count', sessions: 'count', told: 'count', left: 'count' },
    from: [{ event: 'person.forgotten' }],
    isKept: true,
  },
} as const satisfies Record<string, AuditRow>

type Table = typeof AUDIT_EVENTS
export type AuditEventName = keyof Table

type FieldsOf<Name extends AuditEventName> = {
  [Field in keyof Table[Name]['fields']]?: FieldTypes[Extract<
    Table[Name]['fields'][Field],
    FieldKind
  >]
}

/** `{ event: 'login.succeeded', upstream: 'okta', client_id: 'shop', person: 'user-1' }` */
export type AuditEvent = {
  [Name in AuditEventName]: { event: Name } & FieldsOf<Name>
}[AuditEventName]

// Every switch of one issuer as a form.
import { html } from 'hono/html'
import { endpointPaths, plainTokenFaults } from '../../behaviour/faults/faults.ts'
import type { RefreshValues } from '../../behaviour/refresh.ts'
import { refreshIssued, refreshModes } from '../../behaviour/refresh.ts'
import type { AuthenticationValues } from '../../behaviour/sign-in/authentication.ts'
import { saidOf } from '../../behaviour/sign-in/authentication.ts'
import { logoutTokenFaults } from '../../behaviour/tokens/logout-token.ts'
import { choice, field, occasions, switchForm } from './form.ts'
import type { Content } from './form.ts'

const endpointKinds = [
  'status',
  'oauth_error',
  'delay',
  'drop',
  'truncated',
  'content_type',
  'oversized',
]
const tokenKinds = [...plainTokenFaults, 'missing_claim', 'other_sub_at_userinfo']
const refusalErrors = [
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'temporarily_unavailable',
  'server_error',
]

function endpointForm(issuerKey: string): Content {
  const form = 'endpoint'
  const value = 'Status, error code, milliseconds, media type or bytes'
  return switchForm(
    { name: form, issuerKey, title: 'An endpoint', button: 'Break the next answers' },
    [
      choice({ form, name: 'endpoint', label: 'Endpoint' }, Object.keys(endpointPaths), 'token'),
      choice({ form, name: 'kind', label: 'How' }, endpointKinds),
      field({ form, name: 'value', label: value }, { value: '503' }),
      ...occasions(form),
    ],
  )
}

function tokenForm(issuerKey: string): Content {
  const form = 'token'
  return switchForm({ name: form, issuerKey, title: 'A token', button: 'Spoil the next tokens' }, [
    choice({ form, name: 'kind', label: 'How' }, tokenKinds),
    field({ form, name: 'claim', label: 'Claim, for missing_claim' }),
    ...occasions(form),
  ])
}

function refusalForm(issuerKey: string): Content {
  const form = 'refusal'
  return switchForm(
    { name: form, issuerKey, title: 'A refusal', button: 'Refuse the next people' },
    [
      choice({ form, name: 'at', label: 'At' }, ['login', 'consent']),
      choice({ form, name: 'error', label: 'Error' }, refusalErrors),
      ...occasions(form),
    ],
  )
}

function clockForms(issuerKey: string): Content {
  const form = 'advance'
  const seconds = { form, name: 'seconds', label: 'Seconds (negative: back)' }
  return html`${switchForm(
    { name: form, issuerKey, title: 'The clock', button: 'Move the clock' },
    [field(seconds, { type: 'number', value: '3600' })],
  )}
  ${switchForm({ name: 'clock-right', issuerKey, button: 'Set the clock right' })}`
}

function keyForms(issuerKey: string): Content {
  const form = 'rotate'
  const rotation = { name: form, issuerKey, title: 'The signing key', button: 'Change the key' }
  return html`${switchForm(rotation, [
    choice({ form, name: 'publishFirst', label: 'To the published next key' }, ['no', 'yes']),
    choice({ form, name: 'old', label: 'The old key is' }, ['retained', 'withdrawn']),
  ])}
  ${switchForm({ name: 'next-key', issuerKey, button: 'Publish the next key' })}`
}

function refreshForm(issuerKey: string, { mode, issued }: Readonly<RefreshValues>): Content {
  const form = 'refresh'
  return switchForm({ name: form, issuerKey, title: 'Refresh tokens', button: 'Set' }, [
    choice({ form, name: 'mode', label: 'Use' }, refreshModes, mode),
    choice({ form, name: 'issued', label: 'Issued' }, refreshIssued, issued),
  ])
}

function authenticationForm(issuerKey: string, said: Readonly<AuthenticationValues>): Content {
  const form = 'authentication'
  return switchForm(
    { name: form, issuerKey, title: 'The authentication in the ID token', button: 'Set' },
    [
      choice({ form, name: 'acr', label: 'acr' }, saidOf, said.acr),
      choice({ form, name: 'amr', label: 'amr' }, saidOf, said.amr),
      choice({ form, name: 'authTime', label: 'auth_time' }, saidOf, said.authTime),
    ],
  )
}

function logoutForm(issuerKey: string): Content {
  const form = 'logout'
  return switchForm({ name: form, issuerKey, title: 'A logout token', button: 'Send' }, [
    field({ form, name: 'to', label: 'To this URL' }, { type: 'url', isRequired: true }),
    field({ form, name: 'sub', label: 'sub' }),
    field({ form, name: 'sid', label: 'sid' }),
    choice({ form, name: 'fault', label: 'What is wrong with it' }, ['', ...logoutTokenFaults]),
  ])
}

export function personForm(issuerKey: string): Content {
  const form = 'person'
  const row = { name: form, issuerKey, title: 'Add or replace a person', button: 'Save' }
  return switchForm(row, [
    field({ form, name: 'name', label: 'User name' }, { isRequired: true }),
    field({ form, name: 'fullName', label: 'Full name' }),
    field({ form, name: 'email', label: 'E-mail' }, { type: 'email' }),
    field({ form, name: 'roles', label: 'Roles, comma separated' }),
    field({ form, name: 'claims', label: 'Further claims, as JSON' }),
  ])
}

export interface Settings {
  refresh: Readonly<RefreshValues>
  authentication: Readonly<AuthenticationValues>
}

export const switchForms = (issuerKey: string, settings: Settings): Content =>
  html`<div class="switches">
    ${endpointForm(issuerKey)} ${tokenForm(issuerKey)} ${refusalForm(issuerKey)}
    ${authenticationForm(issuerKey, settings.authentication)}
    ${refreshForm(issuerKey, settings.refresh)} ${logoutForm(issuerKey)}
    <div class="pair">${clockForms(issuerKey)}</div>
    <div class="pair">${keyForms(issuerKey)}</div>
  </div>`

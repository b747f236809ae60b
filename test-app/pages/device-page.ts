// A device without a browser: before, while it waits, and how it ended. No tokens are shown; they stay with the device.
import { html } from 'hono/html'
import type { DeviceRun } from '../device/device-runs.ts'
import type { Claims } from '../session/session-data.ts'
import type { Html } from './layout.ts'

export interface DeviceStartPage {
  readonly clientId: string
  readonly formToken: string
  /** Why the last try did not even begin. */
  readonly error?: string | undefined
}

export function deviceStartPage({ clientId, formToken, error }: DeviceStartPage): Html {
  return html` ${
      error === undefined
        ? ''
        : html`<p class="notice bad" role="alert">
            The adapter gave no codes: <code>${error}</code>
          </p>`
    }
    <p class="lead">
      A television or a printer can not show a login page. It shows a short code instead, you sign
      in with any browser, and the device gets its tokens. This page plays the device, as the client
      <code>${clientId}</code>.
    </p>
    <form method="post" action="/device">
      <input type="hidden" name="form_token" value="${formToken}" />
      <p class="actions"><button>Switch the device on</button></p>
    </form>`
}

export function deviceRunPage(run: DeviceRun): Html {
  if (run.state === 'signed_in') return signedIn(run.claims)
  return run.state === 'failed' ? failed(run.error) : waiting(run)
}

function waiting({ codes }: Extract<DeviceRun, { state: 'waiting' }>): Html {
  const { userCode, verificationUri, verificationUriComplete } = codes
  return html`<p class="lead">
      Open <a href="${verificationUri}" target="_blank" rel="noopener">${verificationUri}</a> on any
      screen and type this code:
    </p>
    <p class="device-code"><code>${userCode}</code></p>
    <p>
      ${
        verificationUriComplete === undefined
          ? ''
          : html`Or follow
              <a href="${verificationUriComplete}" target="_blank" rel="noopener"
                >the link with the code in it</a
              >, which a device would show as a QR code.`
      }
      The device asks every few seconds whether you are done, and this page reloads itself.
    </p>`
}

function signedIn(claims: Claims): Html {
  const shown = ['name', 'preferred_username', 'sub'].filter((name) => claims[name] !== undefined)
  return html`<p class="notice good" role="status">
      The device has its tokens and keeps them to itself.
    </p>
    <dl class="device-person">
      ${shown.map(
        (name) =>
          html`<dt>${name}</dt>
            <dd>${String(claims[name])}</dd>`,
      )}
    </dl>
    <p class="actions"><a class="button" href="/device">Another device</a></p>`
}

const REASONS: Readonly<Record<string, string>> = {
  access_denied: 'You refused, or the identity provider did.',
  expired_token: 'Nobody typed the code in time.',
}

function failed(error: string): Html {
  return html`<p class="lead">${REASONS[error] ?? 'The sign-in did not succeed.'}</p>
    <p>The adapter said <code>${error}</code>.</p>
    <p class="actions"><a class="button" href="/device">Try again</a></p>`
}

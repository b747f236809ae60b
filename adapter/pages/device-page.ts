// The pages of device authorization (RFC 8628, section 3.3): type the code, compare it and decide, and how it ended.
import { html, type Html } from '../../service/html.ts'
import { layout, toneSign, type Tone } from './layout.ts'

export type DeviceCodeFault =
  | 'missing'
  | 'unknown'
  | 'expired'
  | 'used'
  | 'too_many'
  | 'outdated'
  | 'over'

const FAULTS: Readonly<Record<DeviceCodeFault, string>> = {
  missing: 'Type the code that your device shows.',
  unknown: 'There is no such code. Compare it with the one on your device, letter by letter.',
  expired: 'This code is too old. Let your device show a new one.',
  used: 'This code was used already. If your device is still waiting, let it show a new one.',
  too_many: 'Too many wrong codes came from your network. Wait ten minutes and try again.',
  outdated: 'This page was open in another tab, or for too long. Check the code and continue.',
  over: 'This sign-in is over, or was started in another browser. Let your device show a new code.',
}

interface DeviceForm {
  /** Where the form goes. */
  readonly action: string
  /** Proves that the form is ours. */
  readonly xsrf: string
}

export interface DeviceCodePageOptions extends DeviceForm {
  readonly userCode?: string | undefined
  readonly fault?: DeviceCodeFault | undefined
}

export function deviceCodePage({ action, xsrf, userCode, fault }: DeviceCodePageOptions): string {
  const title = 'Connect a device'
  const isFault = fault !== undefined
  const body = html`
    <h1>${title}</h1>
    <p class="todo">
      Type the code that your device shows. Letters may be small, and the dash may be left out.
    </p>
    <form class="email code" method="post" action="${action}">
      <input type="hidden" name="xsrf" value="${xsrf}" />
      <label for="user_code">Code</label>
      <input
        id="user_code"
        name="user_code"
        type="text"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck="false"
        maxlength="32"
        required
        value="${userCode ?? ''}"
        ${isFault ? html` aria-invalid="true" aria-describedby="code-fault" autofocus` : ''}
      />
      ${isFault ? html`<p class="fault" id="code-fault">${FAULTS[fault]}</p>` : ''}
      <button class="button" type="submit">Continue</button>
    </form>
  `
  return layout({ title, body })
}

export interface DeviceConfirmPageOptions extends DeviceForm {
  /** As the device shows it. */
  readonly userCode: string
  readonly clientName: string
  /** Who is signed in; absent: nobody yet. */
  readonly person?: string | undefined
}

/** Nothing is allowed before the button is pressed, however the person came here. */
export function deviceConfirmPage(options: DeviceConfirmPageOptions): string {
  const { action, xsrf, userCode, clientName, person } = options
  const title = `Sign in to ${clientName} on a device?`
  const body = html`
    ${toneSign('info')}
    <h1>${title}</h1>
    <p>Your device must show exactly this code:</p>
    <p class="user-code"><code>${userCode}</code></p>
    <p>
      <strong>Continue only if you started this yourself, on a device in front of you.</strong>
      Whoever holds the device will be signed in as you. If somebody sent you this code or a link to
      this page, it is a fraud: refuse.
    </p>
    <p class="todo">
      ${person ? html`You are signed in as ${person}.` : 'You will be asked to sign in next.'}
    </p>
    <form method="post" action="${action}">
      <input type="hidden" name="xsrf" value="${xsrf}" />
      <input type="hidden" name="user_code" value="${userCode}" />
      <div class="actions">
        <button class="button" type="submit" name="confirm" value="yes">
          The codes match, sign in
        </button>
        <button class="button quiet" type="submit" name="abort" value="yes">Refuse</button>
      </div>
    </form>
  `
  return layout({ title, body })
}

type DeviceEnd = 'done' | 'refused' | 'failed'

interface EndWords {
  readonly tone: Tone
  readonly title: string
  readonly text: (clientName: string) => Html
}

const ENDS: Readonly<Record<DeviceEnd, EndWords>> = {
  done: {
    tone: 'good',
    title: 'Your device is signed in',
    text: (name) => html`${name} goes on by itself within a few seconds. You can close this page.`,
  },
  refused: {
    tone: 'info',
    title: 'The device was not signed in',
    text: () => html`Nothing was allowed. You can close this page.`,
  },
  failed: {
    tone: 'warn',
    title: 'The device could not be signed in',
    text: () => html`The sign-in did not succeed. Let your device show a new code and try again.`,
  },
}

export function deviceEndPage(end: DeviceEnd, clientName = 'The app'): string {
  const { tone, title, text } = ENDS[end]
  const body = html`
    ${toneSign(tone)}
    <h1>${title}</h1>
    <p>${text(clientName)}</p>
  `
  return layout({ title, body })
}

// By which way somebody is signed in, in the words of the pages.
import { html } from 'hono/html'
import { utc } from '../claim-meanings.ts'
import type { Html } from '../layout.ts'
import type { Who } from './who.ts'

interface WayIn {
  /** Follows "Signed in as …". */
  readonly short: string
  readonly meaning: string
}

export const WAYS_IN: Readonly<Record<Who['via'], WayIn>> = {
  session: {
    short: 'by the adapter',
    meaning:
      'Your browser went through the adapter to the identity provider. This app keeps the tokens in its session; the browser has that session’s cookie only.',
  },
  cookie: {
    short: 'by the form of this app',
    meaning:
      'The identity service took your password from this app’s form, and the adapter exchanged what it gave. The adapter’s tokens are in cookies that no script can read.',
  },
  bearer: {
    short: 'by a token in the request',
    meaning: 'The request brought an access token in its Authorization header.',
  },
}

/** The line at the top of every page. */
export function whoLine(who: Who | undefined): Html {
  if (!who) return html`<p class="who"><span>Not signed in</span></p>`
  return html`<p class="who">
    <span>Signed in as <b>${who.name}</b></span>
    <span class="way"
      >${WAYS_IN[who.via].short}${who.tokenUntil === undefined ? '' : html`, token until ${time(who.tokenUntil)}`}</span
    >
  </p>`
}

/** `12:05 UTC`, with the whole of it for programs. */
function time(at: number): Html {
  const text = utc(at)
  const clock = text.slice(11, 16)
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return html`${text}`
  return html`<time datetime="${date.toISOString()}">${clock} UTC</time>`
}

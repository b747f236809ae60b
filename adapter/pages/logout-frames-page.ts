// Loads the logout pages of apps in frames that nobody sees, and goes on when they are there, or did not come in time. Without
// scripts it goes on when they are there, or by its link.
import { createHash } from 'node:crypto'
import { html, raw } from '../../service/html.ts'
import { layout } from './layout.ts'

export interface LogoutFramesOptions {
  /** Addresses of apps; the page's frame-src must allow them. */
  readonly frames: readonly string[]
  /** Where the person goes, http(s). */
  readonly next: string
  readonly stylesheetHref?: string | undefined
}

/** Nobody waits longer for an app that does not answer. */
const MAX_WAIT_SECONDS = 2

// The timer is the script's own: browsers begin to count a refresh when the frames have loaded.
const SCRIPT = [
  "const go=()=>location.replace(document.querySelector('a').href)",
  `setTimeout(go,${MAX_WAIT_SECONDS * 1000})`,
  "const frames=[...document.querySelectorAll('iframe')]",
  'let left=frames.length',
  "for(const frame of frames)frame.addEventListener('load',()=>{left-=1;if(left===0)go()})",
].join(';')

// In one piece: a space more inside the element would be another hash.
const SCRIPT_ELEMENT = raw(`<script>${SCRIPT}</script>`)

/** `sha256-…` of the one inline script, for the script-src of this page's Content-Security-Policy. */
export const logoutFramesScriptHash = `sha256-${createHash('sha256').update(SCRIPT).digest('base64')}`

export function logoutFramesPage({ frames, next, stylesheetHref }: LogoutFramesOptions): string {
  const title = 'Signing you out'
  const body = html`
    <meta http-equiv="refresh" content="0; url=${next}" />
    <h1>${title}</h1>
    <p>Your other apps are being told.</p>
    <p class="todo">If nothing happens, press Continue.</p>
    <div class="actions"><a class="button" href="${next}">Continue</a></div>
    ${frames.map((src) => html`<iframe src="${src}" hidden title="Sign-out of an app"></iframe>`)}
    ${SCRIPT_ELEMENT}
  `
  return layout({ title, body, stylesheetHref })
}

// The frame of the choice of a branch; /js/select-branch.js fills it.
import { html } from 'hono/html'
import type { Html } from '../layout.ts'

const SCRIPT = '/js/select-branch.js'

export function selectBranchPage(): Html {
  return html`<script type="module" src="${SCRIPT}"></script>
    <noscript><p class="notice bad">Choosing a branch needs JavaScript.</p></noscript>
    <div id="choice" aria-busy="true">
      <p class="progress" role="status">Loading your branches…</p>
    </div>`
}

// The live log on the first page, for those who are signed in. Filled by static/js/home.js.
import { html } from 'hono/html'
import { LOGS_PATH } from './logs-json.ts'

export const liveLogSection = () =>
  html`<section id="live-log" aria-labelledby="live-log-title">
    <link rel="stylesheet" href="/live-log.css" />
    <h2 id="live-log-title">Live log</h2>
    <p>
      What this app writes to its log about your sign-ins and requests. An administrator sees every
      line. Times are UTC.
    </p>
    <noscript
      ><p class="notice">
        It needs JavaScript here; <a href="${LOGS_PATH}">the same as JSON</a> does not.
      </p></noscript
    >
    <div data-part="view" hidden>
      <p class="log-bar">
        <span role="status" data-part="state">Loading …</span>
        <button type="button" class="button quiet" data-part="pause" aria-pressed="false">
          Pause
        </button>
      </p>
      <div
        class="log-lines"
        data-part="scroll"
        role="region"
        aria-label="Lines of the log"
        tabindex="0"
      >
        <p data-part="empty">No line yet.</p>
        <ol data-part="lines"></ol>
      </div>
    </div>
    <script type="module" src="/js/home.js"></script>
  </section>`

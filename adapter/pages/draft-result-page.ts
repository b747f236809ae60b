// What a test login with a draft configuration came to, for the person who went through it. Nobody is signed in by it.
import { html, type Html } from '../../service/html.ts'
import { layout, toneSign, type Tone } from './layout.ts'

export type DraftVerdict =
  | 'unchanged'
  | 'changed'
  | 'subject_changed'
  | 'nothing_to_compare'
  | 'refused'
  | 'failed'

export interface DraftResultView {
  readonly upstreamName: string
  readonly clientName: string
  readonly verdict: DraftVerdict
  readonly subject?: { readonly live: string; readonly draft: string } | undefined
  /** Claim, live value, draft value, where. */
  readonly changes?: readonly string[][]
  readonly tokens?: readonly { readonly title: string; readonly json: string }[]
  /** Claim, value, origin, where it goes, rule. */
  readonly claims?: readonly string[][]
  /** Claim, source, reason. */
  readonly dropped?: readonly string[][]
  readonly notes?: readonly string[]
  readonly stylesheetHref?: string | undefined
}

interface Words {
  readonly tone: Tone
  readonly title: string
  readonly text: string
}

const VERDICTS: Readonly<Record<DraftVerdict, Words>> = {
  unchanged: {
    tone: 'good',
    title: 'The test worked: nothing changes',
    text: 'With the draft, the app learns of you exactly what it learns today.',
  },
  changed: {
    tone: 'info',
    title: 'The test worked: claims change',
    text: 'You stay the same person to the app, and it learns something else of you.',
  },
  subject_changed: {
    tone: 'bad',
    title: 'The test worked, but the subject changes',
    text: 'With the draft you are another person to the app: what it keeps for you today is not found again.',
  },
  nothing_to_compare: {
    tone: 'info',
    title: 'The test worked',
    text: 'This is what the app would learn of you.',
  },
  refused: {
    tone: 'warn',
    title: 'The draft would not let you in',
    text: 'You signed in, but a rule of the draft is not met, or what it needs of you was not sent. The command that began this test says which.',
  },
  failed: {
    tone: 'bad',
    title: 'The test failed',
    text: 'You could not be signed in with the draft. The command that began this test says what was expected and what was found.',
  },
}

function table(
  caption: string,
  head: readonly string[],
  rows: readonly string[][] = [],
): Html | '' {
  if (rows.length === 0) return ''
  const cells = (row: readonly string[]) =>
    row.map((cell, column) =>
      column === 0 ? html`<th scope="row">${cell}</th>` : html`<td>${cell}</td>`,
    )
  return html`<div class="table" role="region" aria-label="${caption}" tabindex="0">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${cells(row)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function subjectChange({ verdict, subject }: DraftResultView): Html | '' {
  if (verdict !== 'subject_changed' || !subject) return ''
  return html`<dl class="subject-change">
    <dt>Subject today</dt>
    <dd><code>${subject.live}</code></dd>
    <dt>Subject with the draft (changed)</dt>
    <dd><code>${subject.draft}</code></dd>
  </dl>`
}

function tokens({ tokens: all = [] }: DraftResultView): Html[] {
  return all.map(
    ({ title, json }) =>
      html`<details>
        <summary>${title}, as it would be</summary>
        <pre class="json" tabindex="0" role="region" aria-label="${title}">${json}</pre>
      </details>`,
  )
}

/** The page as a whole document; every text of `view` is escaped. */
export function draftResultPage(view: DraftResultView): string {
  const { tone, title, text } = VERDICTS[view.verdict]
  const notes = (view.notes ?? []).map((note) => html`<p class="todo">${note}.</p>`)
  const body = html`
    ${toneSign(tone)}
    <h1>${title}</h1>
    <p>${text}</p>
    <p class="todo">
      A test of <code>${view.upstreamName}</code> for <code>${view.clientName}</code>. Nobody was
      signed in, and nothing was kept. You can close this tab.
    </p>
    ${subjectChange(view)} ${notes}
    ${table('What changes', ['Claim', 'Today', 'Draft', 'In'], view.changes)} ${tokens(view)}
    ${table('Why', ['Claim', 'Value', 'From', 'Goes to', 'Rule'], view.claims)}
    ${table('Not passed on', ['Claim', 'Said in', 'Why'], view.dropped)}
  `
  return layout({
    title,
    body,
    stylesheetHref: view.stylesheetHref,
    isWide: view.verdict !== 'failed',
  })
}

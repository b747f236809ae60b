// The page of the control listener: what is switched at one issuer, and every switch for people without a program.
import { html } from 'hono/html'
import type { JournalEntry } from '../../behaviour/faults/journal.ts'
import { page } from '../pages.ts'
import { personButton, switchForm } from './form.ts'
import type { Content } from './form.ts'
import { personForm, switchForms } from './switch-forms.ts'
import type { Settings } from './switch-forms.ts'

export interface ShownPerson {
  username: string
  sub: string
  roles: readonly string[]
  isDisabled: boolean
}

export interface SwitchesPage {
  issuers: readonly { key: string; issuer: string }[]
  issuerKey: string
  issuer: string
  /** A sentence for each thing that is not strict now. */
  switched: readonly string[]
  settings: Settings
  people: readonly ShownPerson[]
  /** The latest first. */
  journal: readonly JournalEntry[]
  /** What was wrong with the form that was sent. */
  error?: string | undefined
  notice?: string | undefined
}

const anchor = (key: string) => (key === '' ? '/' : `/?issuer=${encodeURIComponent(key)}`)

const issuerLinks = ({ issuers, issuerKey }: SwitchesPage) =>
  html`<nav aria-label="Issuers">
    <ul>
      ${issuers.map(
        ({ key, issuer }) =>
          html`<li>
            <a href="${anchor(key)}" ${key === issuerKey ? html`aria-current="page"` : ''}
              >${issuer}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`

const switchedNow = ({ switched, issuerKey }: SwitchesPage) =>
  html`<section aria-labelledby="now">
    <h2 id="now">Switched now</h2>
    ${
      switched.length === 0
        ? html`<p>Nothing: this issuer is strict.</p>`
        : html`<ul>
            ${switched.map((sentence) => html`<li>${sentence}</li>`)}
          </ul>`
    }
    ${switchForm({ name: 'reset', issuerKey, button: 'Make it strict again' })}
  </section>`

const personRow = (issuerKey: string, { username, sub, roles, isDisabled }: ShownPerson) =>
  html`<tr>
    <th scope="row">${username}</th>
    <td>${sub}</td>
    <td>${roles.join(', ')}</td>
    <td class="whole">${isDisabled ? 'disabled' : 'may sign in'}</td>
    <td class="whole">
      ${personButton(
        isDisabled ? 'enable' : 'disable',
        issuerKey,
        username,
        isDisabled ? 'Enable' : 'Disable',
      )}
      ${personButton('grants', issuerKey, username, 'End tokens')}
    </td>
  </tr>`

const table = (label: string, headings: readonly string[], rows: readonly Content[]) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">
    <table>
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`

const people = ({ people: all, issuerKey }: SwitchesPage) =>
  html`<section aria-labelledby="people">
    <h2 id="people">People</h2>
    ${table(
      'Table of people',
      ['User name', 'sub', 'Roles', 'State', 'Change'],
      all.map((person) => personRow(issuerKey, person)),
    )}
    ${personForm(issuerKey)}
  </section>`

const journalRow = ({ at, method, path, status }: JournalEntry) =>
  html`<tr>
    <td>${new Date(at).toISOString().slice(11, 19)}</td>
    <td>${method}</td>
    <td>${path}</td>
    <td>${status === 0 ? 'cut off' : status}</td>
  </tr>`

const requests = ({ journal }: SwitchesPage) =>
  html`<section aria-labelledby="journal">
    <h2 id="journal">Latest requests</h2>
    ${
      journal.length === 0
        ? html`<p>None yet.</p>`
        : table(
            'Table of requests',
            ['Time (UTC)', 'Method', 'Path', 'Status'],
            journal.map(journalRow),
          )
    }
  </section>`

export function switchesPage(shown: SwitchesPage): string {
  const { error, notice, issuerKey, issuer, settings } = shown
  return page(
    'Switches',
    html`${error === undefined ? '' : html`<p class="error" role="alert">${error}</p>`}
      ${notice === undefined ? '' : html`<p role="status">${notice}</p>`}
      <p>
        What goes wrong at <strong>${issuer}</strong> is said here. Tests use the same switches.
      </p>
      ${issuerLinks(shown)} ${switchedNow(shown)}
      <section aria-labelledby="switches">
        <h2 id="switches">Switches</h2>
        ${switchForms(issuerKey, settings)}
      </section>
      ${people(shown)} ${requests(shown)}`,
    { layout: 'wide' },
  )
}

// The parts of a form on the page of switches: a label above each control, all with ids of their own.
import { html } from 'hono/html'

export type Content = ReturnType<typeof html>

export interface FormPart {
  /** Of the form; begins the ids. */
  form: string
  name: string
  label: string
}

export interface FieldOptions {
  type?: 'text' | 'number' | 'email' | 'url'
  value?: string
  isRequired?: boolean
}

export function field({ form, name, label }: FormPart, options: FieldOptions = {}): Content {
  const { type = 'text', value = '', isRequired = false } = options
  const id = `${form}-${name}`
  return html`<div class="field">
    <label for="${id}">${label}</label>
    <input
      id="${id}"
      name="${name}"
      type="${type}"
      value="${value}"
      autocomplete="off"
      ${isRequired ? html`required` : ''}
    />
  </div>`
}

export function choice(
  { form, name, label }: FormPart,
  options: readonly string[],
  selected = options[0],
): Content {
  const id = `${form}-${name}`
  const option = (value: string) =>
    html`<option value="${value}" ${value === selected ? html`selected` : ''}>
      ${value || '–'}
    </option>`
  return html`<div class="field">
    <label for="${id}">${label}</label>
    <select id="${id}" name="${name}">
      ${options.map(option)}
    </select>
  </div>`
}

/** Who is meant, and how often. */
export const occasions = (form: string): Content[] => [
  field({ form, name: 'times', label: 'Times' }, { type: 'number', value: '1' }),
  field({ form, name: 'username', label: 'User name (empty: anybody)' }),
]

export interface SwitchForm {
  /** Of form-commands.ts. */
  name: string
  issuerKey: string
  title?: string
  button: string
}

export function switchForm(
  { name, issuerKey, title, button }: SwitchForm,
  content: Content | readonly Content[] = [],
): Content {
  return html`<form method="post" action="/switch" id="${name}" class="switch">
    <input type="hidden" name="issuer" value="${issuerKey}" />
    <input type="hidden" name="form" value="${name}" />
    ${title === undefined ? '' : html`<h3>${title}</h3>`}
    <div class="fields">${content}</div>
    <div class="buttons"><button>${button}</button></div>
  </form>`
}

/** A button in the row of a person. */
export function personButton(
  form: string,
  issuerKey: string,
  username: string,
  label: string,
): Content {
  return html`<form method="post" action="/switch" class="inline">
    <input type="hidden" name="issuer" value="${issuerKey}" />
    <input type="hidden" name="form" value="${form}" />
    <input type="hidden" name="name" value="${username}" />
    <button>${label} <span class="hidden">${username}</span></button>
  </form>`
}

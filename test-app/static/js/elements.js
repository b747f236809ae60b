// Builds and finds elements of a page. Text stays text.

/**
 * @param {string} tag
 * @param {Record<string, string | boolean>} attributes `true` for one without a value, `false` for none
 * @param {...(Node | string)} children
 */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== false) made.setAttribute(attribute, value === true ? '' : value)
  }
  made.append(...children)
  return made
}

export const byId = (id) => document.querySelector(`#${id}`)

/** What this page's address says of where to go afterwards: a path of this app, or `/`. */
export function returnPath({ search, origin: here } = globalThis.location) {
  const asked = new URLSearchParams(search).get('return_to') ?? ''
  if (!/^\/(?![/\\])[\u0021-\u005b\u005d-\u007e]*$/.test(asked)) return '/'
  const url = URL.parse(asked, here)
  return url?.origin === here && !url.pathname.startsWith('//') ? url.pathname + url.search : '/'
}

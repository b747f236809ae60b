// HTML as tagged templates that escape whatever is put into them: hono/html, held to values that are there already.
import { html as honoHtml, raw } from 'hono/html'

/** Text that is HTML already; everything else is escaped when it is put into a template. */
export type Html = ReturnType<typeof raw>

/** Strings are escaped, `Html` and arrays of it are put in as they are, null, undefined and booleans vanish. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return honoHtml(strings, ...values) as Html
}

export { raw }

/** The URL if a link may lead there: http(s), or a path of this host. Keeps `javascript:` and its kin out of pages. */
export function safeHref(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url, 'http://host.invalid')) return undefined
  const isPath = /^\/(?![/\\])/.test(url)
  return isPath || /^https?:\/\//i.test(url) ? url : undefined
}

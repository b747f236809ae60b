// Tells a person who opens a page from everything else that asks for it: only the former may start a sign-in.
import type { IncomingMessage } from 'node:http'

/**
 * True for a top-level navigation by GET. Fetch metadata decides where the browser sends it
 * (https://www.w3.org/TR/fetch-metadata/), `Accept` otherwise. Prefetched and prerendered pages do not count.
 */
export function isTopLevelNavigation({
  method,
  headers,
}: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  if (method !== 'GET' || isPrefetch(headers)) return false
  const mode = headers['sec-fetch-mode']
  const destination = headers['sec-fetch-dest']
  if (mode === undefined && destination === undefined) return acceptsHtml(headers.accept)
  return (mode ?? 'navigate') === 'navigate' && (destination ?? 'document') === 'document'
}

function isPrefetch(headers: IncomingMessage['headers']): boolean {
  const purposes = [
    headers['sec-purpose'],
    headers['purpose'],
    headers['x-moz'],
    headers['x-purpose'],
  ]
  return purposes.some((purpose) => /prefetch|prerender|preview/i.test(String(purpose ?? '')))
}

function acceptsHtml(accept: string | undefined): boolean {
  return /(^|,)\s*(text\/html|application\/xhtml\+xml)\s*(;|,|$)/i.test(accept ?? '')
}

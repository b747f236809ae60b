// Fetches one JSON document of an upstream again and again: by its ETag where it had one, and with the time that its headers
// let it be used. What stands in it is judged by whoever reads it.
import { UpstreamError } from '../../errors.ts'
import { jsonFrom } from '../http/outgoing-http.ts'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import { freshMsFrom } from './freshness.ts'
import type { FreshnessBounds } from './freshness.ts'

export interface Loaded<T> {
  value: T
  freshMs: number
}

export interface DocumentLoaderOptions<T> {
  upstream: string
  url: () => Promise<string>
  http: OutgoingHttp
  bounds: FreshnessBounds
  /** @throws when the document can not be used */
  read: (document: unknown) => T
}

/** What was read well, and what it can be asked for by. */
interface Kept {
  url: string
  etag: string
  document: unknown
}

/** @throws UpstreamError `unavailable`, and what `read` throws */
export function createDocumentLoader<T>(
  options: DocumentLoaderOptions<T>,
): () => Promise<Loaded<T>> {
  const { upstream, http, bounds, read } = options
  const unavailable = (message: string) => new UpstreamError('unavailable', upstream, message)
  let kept: Kept | undefined

  return async () => {
    const url = await options.url()
    const known = kept?.url === url ? kept : undefined
    // RFC 9110 §13.1.2: https://www.rfc-editor.org/rfc/rfc9110.html#section-13.1.2
    const condition: Record<string, string> = known ? { 'if-none-match': known.etag } : {}
    const headers = { accept: 'application/json', ...condition }
    const answer = await http.exchange(url, { headers })
    const isUnchanged = known !== undefined && answer.status === 304
    const document = isUnchanged ? known.document : jsonFrom(answer, url, unavailable)
    const value = read(document)
    const etag = answer.headers['etag'] ?? (isUnchanged ? known.etag : undefined)
    kept = typeof etag === 'string' ? { url, etag, document } : undefined
    return { value, freshMs: freshMsFrom(answer.headers, bounds) }
  }
}

// How the first checks turn a request away before any room sees it.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface Refusal {
  readonly status: number
  /** Names the page to show. */
  readonly kind: 'misdirected_host' | 'too_large' | 'invalid_request' | 'not_found'
  readonly text: string
}

/** Answers the request with the refusal. */
export type Refuse = (request: IncomingMessage, response: ServerResponse, refusal: Refusal) => void

export const refuseAsText: Refuse = (_request, response, { status, text }) => {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
  })
  response.end(`${text}\n`)
}

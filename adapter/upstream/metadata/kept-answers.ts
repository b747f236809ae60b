// Userinfo answers that say how long they hold, kept that long, a minute at most, for the very access token they were given
// for: some upstreams give the same one again to somebody who signs in twice. All others are asked for anew.
import { hash } from 'node:crypto'
import type { OutgoingHttp } from '../http/outgoing-http.ts'
import type { OutgoingAnswer } from '../http/send-request.ts'
import { freshMsFrom } from './freshness.ts'

const BOUNDS = { leastMs: 0, usualMs: 0, mostMs: 60_000 }
const MAX_ANSWERS = 500
const MAX_LENGTH = 16 * 1024

interface Kept {
  answer: OutgoingAnswer
  /** Epoch milliseconds. */
  at: number
  freshMs: number
}

/** `exchange` for GETs with an `authorization`. `now` is epoch milliseconds. */
export function keepAnswers(
  { exchange }: Pick<OutgoingHttp, 'exchange'>,
  now: () => number,
): OutgoingHttp['exchange'] {
  const kept = new Map<string, Kept>()
  const isFresh = ({ at, freshMs }: Kept) => now() >= at && now() - at < freshMs

  function keep(key: string, answer: OutgoingAnswer): void {
    const freshMs = freshMsFrom(answer.headers, BOUNDS)
    if (answer.status !== 200 || freshMs === 0 || answer.text.length > MAX_LENGTH) return
    const over = [...kept].filter(([, one]) => !isFresh(one))
    for (const [old] of over) kept.delete(old)
    const [oldest] = kept.keys()
    if (kept.size >= MAX_ANSWERS && oldest !== undefined) kept.delete(oldest)
    kept.set(key, { answer, at: now(), freshMs })
  }

  return async (url, request = {}) => {
    const key = hash('sha256', JSON.stringify([url, request.headers]))
    const known = kept.get(key)
    if (known && isFresh(known)) return known.answer
    const answer = await exchange(url, request)
    keep(key, answer)
    return answer
  }
}

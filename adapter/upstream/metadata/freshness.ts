// How long a fetched document stays fresh by the headers that came with it, within bounds of ours: an upstream can not make us
// ask it all the time, nor keep keys that it withdrew.

export interface FreshnessBounds {
  leastMs: number
  /** Where the answer does not say. */
  usualMs: number
  mostMs: number
}

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

/** Milliseconds from now on. RFC 9111 §4.2: https://www.rfc-editor.org/rfc/rfc9111.html#section-4.2 */
export function freshMsFrom(
  headers: AnswerHeaders,
  { leastMs, usualMs, mostMs }: FreshnessBounds,
): number {
  const said = saidMs(headers)
  return said === undefined ? usualMs : Math.min(mostMs, Math.max(leastMs, said))
}

function saidMs(headers: AnswerHeaders): number | undefined {
  const control = directivesOf(textOf(headers['cache-control']))
  if (control.has('no-store') || control.has('no-cache')) return 0
  const maxAge = control.get('max-age')
  if (maxAge !== undefined)
    return (secondsFrom(maxAge) - secondsFrom(textOf(headers['age']))) * 1000
  const expires = headers['expires']
  return expires === undefined ? undefined : untilMs(textOf(expires), textOf(headers['date']))
}

function directivesOf(text: string): Map<string, string> {
  const pairs = text.split(',').map((part): [string, string] => {
    const [name = '', value = ''] = part.split('=')
    return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')]
  })
  return new Map(pairs)
}

/** What can not be read counts as none: §4.2.1 has such an answer be stale. */
function secondsFrom(text: string): number {
  return /^\d{1,10}$/.test(text) ? Number(text) : 0
}

/** By the clock of whoever answered, which may be off from ours. A date that can not be read is long past (§5.3). */
function untilMs(expires: string, date: string): number {
  const [end, start] = [Date.parse(expires), Date.parse(date)]
  return Number.isNaN(end - start) ? 0 : end - start
}

function textOf(header: string | string[] | undefined): string {
  return [header ?? ''].flat().join(',')
}

// How lines of the log become elements.
import { element } from './elements.js'

const MOST_SHOWN = 300
/** Of lines that wait to be shown, those that would be. */
export const newestOf = (entries) => entries.slice(-MOST_SHOWN)

const OWN_KEYS = new Set(['time', 'level', 'event'])

const asText = (value) => (typeof value === 'string' ? value : JSON.stringify(value))

/** `status=200 ms=3.1`; a request that is correlated with none but itself says so once. */
export function fieldsOf(line) {
  const isSaid = (name) => name === 'correlation_id' && line[name] === line.request_id
  return Object.entries(line)
    .filter(([name]) => !OWN_KEYS.has(name) && !isSaid(name))
    .map(([name, value]) => `${name}=${asText(value)}`)
    .join(' ')
}

/** Where a line belongs among those shown: they stand in the order in which they were written. */
export function placeOf(ids, id) {
  const later = ids.findLastIndex((other) => other < id) + 1
  return ids[later] === id ? undefined : later
}

function row(line) {
  const { time = '', level = '', event = '' } = line
  return element(
    'li',
    { 'data-level': level },
    element('time', { datetime: time }, String(time).slice(11, 23)),
    ' ',
    element('span', { class: 'level' }, level),
    ' ',
    element('b', {}, event),
    ' ',
    element('code', {}, fieldsOf(line)),
  )
}

/** Shows lines in a list, each once, the newest 300. */
export function createLogLines(list) {
  const ids = []
  return {
    /** How many are shown then. */
    add(entries) {
      for (const { id, line } of entries) {
        const place = placeOf(ids, id)
        if (place === undefined) continue
        list.insertBefore(row(line), list.children[place] ?? null)
        ids.splice(place, 0, id)
      }
      for (; ids.length > MOST_SHOWN; ids.shift()) list.firstElementChild.remove()
      return ids.length
    },
    /** For the lines of another process, which counts anew. */
    clear() {
      ids.length = 0
      list.replaceChildren()
    },
  }
}

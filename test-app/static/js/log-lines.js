// How lines of the log become elements. Text stays text, whatever a line says.

const MOST_SHOWN = 300
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

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag)
  made.textContent = text
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  return made
}

function row(line) {
  const made = document.createElement('li')
  const { time = '', level = '', event = '' } = line
  made.dataset.level = level
  made.append(
    element('time', String(time).slice(11, 23), { datetime: time }),
    ' ',
    element('span', level, { class: 'level' }),
    ' ',
    element('b', event),
    ' ',
    element('code', fieldsOf(line)),
  )
  return made
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

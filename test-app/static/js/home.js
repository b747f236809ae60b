// The live log of the first page: every 30 seconds from /logs.json while the page is looked at, and live over a socket.
import { client, openLogin } from './client.js'
import { createLogLines, newestOf } from './log-lines.js'
import { io } from './socket.io.js'
import { openSocket } from './socket.js'

const POLL_MS = 30_000
const STATES = {
  live: 'Live: lines appear as they are written.',
  waiting: 'Not connected. Trying again; until then lines come every 30 seconds.',
  over: 'Your sign-in is over.',
  paused: 'Paused.',
  failed: 'The log could not be loaded. Trying again in 30 seconds.',
}

const find = (name) => document.querySelector(`#live-log [data-part="${name}"]`)
const scroll = find('scroll')
const pause = find('pause')
const lines = createLogLines(find('lines'))
let next
let line = 'waiting'
let hasFailed = false
let isPaused = false
/** What came while the view stood still. */
let held = []

function showState() {
  const state = isPaused ? 'paused' : hasFailed && line === 'waiting' ? 'failed' : line
  // Said again it would be read out again.
  if (find('state').dataset.state === state) return
  find('state').dataset.state = state
  find('state').textContent = STATES[state]
}

function setLine(state) {
  line = state
  showState()
}

/** Whoever has scrolled up to read stays where they are. */
function show(entries) {
  const isAtEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40
  find('empty').hidden = lines.add(entries) > 0
  if (isAtEnd) scroll.scrollTop = scroll.scrollHeight
}

function take(part) {
  const [run] = part.next.split('.')
  if (next !== undefined && run !== next.split('.')[0]) {
    lines.clear()
    held = []
  }
  next = part.next
  if (isPaused) held = newestOf([...held, ...part.lines])
  else show(part.lines)
}

async function poll() {
  if (document.visibilityState !== 'visible') return
  try {
    const query = next === undefined ? '' : `?since=${encodeURIComponent(next)}`
    const answer = await client.request(`/logs.json${query}`)
    if (answer.ok) take(await answer.json())
    hasFailed = !answer.ok
  } catch {
    hasFailed = true
  }
  showState()
}

pause.addEventListener('click', () => {
  isPaused = !isPaused
  pause.setAttribute('aria-pressed', String(isPaused))
  if (!isPaused) show(held.splice(0))
  showState()
})
document.addEventListener('visibilitychange', () => void poll())
setInterval(() => void poll(), POLL_MS)
find('view').hidden = false
await poll()
openSocket({ io, client, openLogin, since: () => next, onLines: take, onState: setLine })

// Says on the audit page when something happened since it was opened. It shows nothing by itself: who reads is not disturbed.

const ASK_EVERY_MS = 10_000
const news = document.querySelector('#audit-news')
const STATES = {
  loading: 'Looking for new events …',
  same: 'Nothing new since you opened this page.',
  more: 'Something happened since you opened this page.',
  failed: 'The trail could not be asked. Trying again.',
}

let state

function show(next) {
  // Said again it would be read out again.
  if (state === next) return
  state = next
  news.querySelector('[data-part="state"]').textContent = STATES[next]
  news.querySelector('[data-part="show"]').hidden = next !== 'more'
}

async function ask() {
  try {
    const answer = await fetch(`/audit.json${location.search}`)
    if (!answer.ok) return 'failed'
    const { newest } = await answer.json()
    return String(newest ?? '') === news.dataset.newest ? 'same' : 'more'
  } catch {
    return 'failed'
  }
}

async function look() {
  if (document.visibilityState === 'visible') show(await ask())
}

news.hidden = false
show('loading')
document.addEventListener('visibilitychange', () => void look())
setInterval(() => void look(), ASK_EVERY_MS)
await look()

// The socket of the live log. One that is refused, or ended by the server, renews the sign-in and connects once more; where
// that does not help, the login page is next. A line that breaks is mended by Socket.IO itself.

const CALM_MS = 5_000
const RETRY_MS = 10_000
/** Asked by somebody who has to be signed in; renews what can be renewed. */
const NEEDS_SIGN_IN = '/api/me'

/**
 * @param {object} parts
 * @param {(options: object) => object} parts.io
 * @param {{ request(path: string): Promise<Response> }} parts.client
 * @param {() => void} parts.openLogin leaves this page for the login page
 * @param {() => string | undefined} parts.since where the lines go on, for a server that one comes back to
 * @param {(part: { lines: object[], next: string }) => void} parts.onLines
 * @param {(state: 'live' | 'waiting' | 'over') => void} parts.onState
 */
export function openSocket({ io, client, openLogin, since, onLines, onState }) {
  const socket = io({
    transports: ['websocket'],
    reconnectionDelayMax: RETRY_MS,
    auth: (send) => send({ since: since() }),
  })
  const renewal = createRenewal(client, openLogin)
  const connectLater = () => setTimeout(() => socket.connect(), RETRY_MS)

  async function renew() {
    onState('waiting')
    const outcome = await renewal.tryOnce()
    if (outcome === 'renewed') socket.connect()
    if (outcome === 'unavailable') connectLater()
    if (outcome === 'over') onState('over')
  }

  socket.on('connect', () => {
    renewal.connected()
    onState('live')
  })
  socket.on('lines', onLines)
  socket.on('disconnect', (reason) => {
    renewal.disconnected()
    if (reason === 'io server disconnect') void renew()
    else onState('waiting')
  })
  socket.on('connect_error', ({ message }) => {
    if (message === 'unauthorized') return void renew()
    onState('waiting')
    if (!socket.active) connectLater()
  })
  return { close: () => socket.disconnect() }
}

/** One for each socket that was good for a while: one that never is would go round in circles. */
function createRenewal(client, openLogin) {
  let isUsed = false
  let connectedAt = 0
  return {
    connected: () => void (connectedAt = Date.now()),
    disconnected() {
      if (Date.now() - connectedAt > CALM_MS) isUsed = false
    },
    async tryOnce() {
      if (isUsed) {
        openLogin()
        return 'over'
      }
      isUsed = true
      const answer = await client.request(NEEDS_SIGN_IN).catch(() => undefined)
      if (answer?.ok) return 'renewed'
      // The client has left for the login page.
      if (answer?.status === 401) return 'over'
      isUsed = false
      return 'unavailable'
    },
  }
}
